"""Metrics: how close to the data, how diverse, how faithful to the prompt, how near to a copy, how well supported."""

from collections.abc import Callable

import kinetic
from kinetic_metrics.authpct import AuthPct as AuthPct
from kinetic_metrics.calibrated_l2 import CalibratedL2 as CalibratedL2
from kinetic_metrics.class_margin import ClassMargin as ClassMargin
from kinetic_metrics.clip_score import CLIPScore as CLIPScore
from kinetic_metrics.data_copying import DataCopying as DataCopying
from kinetic_metrics.energy_density import EnergyDensity as EnergyDensity
from kinetic_metrics.fd_infinity import FrechetInfinity as FrechetInfinity
from kinetic_metrics.frechet import FrechetDistance as FrechetDistance
from kinetic_metrics.held_out_distance import HeldOutDistance as HeldOutDistance
from kinetic_metrics.inception_score import InceptionScore as InceptionScore
from kinetic_metrics.kde_support import KDESupport as KDESupport
from kinetic_metrics.kernel_distance import KernelDistance as KernelDistance
from kinetic_metrics.knn_support import KNNSupport as KNNSupport
from kinetic_metrics.log_likelihood import LogLikelihood as LogLikelihood
from kinetic_metrics.memorisation import Memorisation as Memorisation
from kinetic_metrics.mifid import MiFID as MiFID
from kinetic_metrics.posterior_signals import PosteriorSignals as PosteriorSignals
from kinetic_metrics.prdc import PRDC as PRDC
from kinetic_metrics.residual_noise import ResidualNoise as ResidualNoise
from kinetic_metrics.sharpness import Sharpness as Sharpness
from kinetic_metrics.torchmetrics_metric import TorchMetric as TorchMetric
from kinetic_metrics.vendi import VendiScore as VendiScore


@kinetic.hookimpl
def register_metrics(register: Callable[[str, type[kinetic.Metric]], None]) -> None:
    """Offer the metrics."""
    register("frechet", FrechetDistance)
    register("fd-infinity", FrechetInfinity)
    register("kid", KernelDistance)
    register("inception-score", InceptionScore)
    register("mifid", MiFID)
    register("prdc", PRDC)
    register("vendi", VendiScore)
    register("clip", CLIPScore)
    register("class-margin", ClassMargin)
    register("memorisation", Memorisation)
    register("calibrated-l2", CalibratedL2)
    register("authpct", AuthPct)
    register("ct", DataCopying)
    register("held-out-distance", HeldOutDistance)
    register("posterior-signals", PosteriorSignals)
    register("energy-density", EnergyDensity)
    register("knn-support", KNNSupport)
    register("kde-support", KDESupport)
    register("log-likelihood", LogLikelihood)
    register("sharpness", Sharpness)
    register("residual-noise", ResidualNoise)
    register("torchmetrics", TorchMetric)
