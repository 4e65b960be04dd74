"""Classes of torchmetrics by name: which may be had, made with options that are plain values."""

from __future__ import annotations

import importlib
import inspect
import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from kinetic.errors import MissingPackageError, OptionError, unknown

MODULES = ("classification", "clustering", "image", "regression")
"""Modules of torchmetrics that metrics are taken of."""

_IMAGE = (  # those of `image` that load no network but one they are given: others may download what nobody asked for
    "ErrorRelativeGlobalDimensionlessSynthesis",
    "FrechetInceptionDistance",
    "InceptionScore",
    "KernelInceptionDistance",
    "MemorizationInformedFrechetInceptionDistance",
    "MultiScaleStructuralSimilarityIndexMeasure",
    "PeakSignalNoiseRatio",
    "PeakSignalNoiseRatioWithBlockedEffect",
    "RelativeAverageSpectralError",
    "RootMeanSquaredErrorUsingSlidingWindow",
    "SpatialCorrelationCoefficient",
    "SpectralAngleMapper",
    "SpectralDistortionIndex",
    "StructuralSimilarityIndexMeasure",
    "TotalVariation",
    "UniversalImageQualityIndex",
    "VisualInformationFidelity",
)
_MERGING = ("dim_zero_sum", "dim_zero_max", "dim_zero_min")  # how tensors are put together, whoever saw what


def metric_class(name: str) -> Any:
    """The class `MODULE.CLASS` of torchmetrics, one of those that may be had. Nothing outside it is ever imported.

    Raises:
        MissingPackageError: torchmetrics is not installed.
        OptionError, UnknownNameError: there is no such metric, or it is not one that may be had.
    """
    module, _, cls = name.partition(".")
    if module not in MODULES or not cls.isidentifier():
        raise OptionError(
            f"'metric' must be MODULE.CLASS of torchmetrics, MODULE one of {', '.join(MODULES)}: {name!r}\n"
            '  As in metric = "image.StructuralSimilarityIndexMeasure".'
        )
    try:
        base = importlib.import_module("torchmetrics").Metric
        offered = importlib.import_module(f"torchmetrics.{module}")
    except ImportError as error:
        way = 'pip install "kinetic-flow[torchmetrics]"'
        raise MissingPackageError(f"metric 'torchmetrics' needs torchmetrics: {way} ({error})") from error
    known = [
        each for each in offered.__all__ if inspect.isclass(made := getattr(offered, each)) and issubclass(made, base)
    ]
    if cls not in known:
        raise unknown(f"torchmetrics.{module} has no metric", cls, known)
    if module == "image" and cls not in _IMAGE:
        raise OptionError(
            f"torchmetrics' {name} is not offered: it may load, and download, a network of its own\n"
            f"  Offered of that module are {', '.join(_IMAGE)}."
        )
    return getattr(offered, cls)


def arguments_of(cls: Any) -> tuple[str, ...]:
    """What its `update` takes, by name."""
    return tuple(inspect.signature(cls.update).parameters)[1:]


def takes_features(cls: Any) -> bool:
    """Whether it looks at images by a network that it is given, as its option `feature`."""
    return "feature" in inspect.signature(cls.__init__).parameters


def make(cls: Any, given: Mapping[str, Any], width: int) -> Any:
    """A metric in float64 that speaks to no other process; where it takes a network, for features `(m, width)`.

    Raises:
        OptionError: torchmetrics refuses the options.
    """
    network = {"feature": Features(width)} if takes_features(cls) else {}
    with warnings.catch_warnings():  # of the memory that it will need
        warnings.simplefilter("ignore", UserWarning)
        try:
            made = cls(**network, **given, sync_on_compute=False)
        except (TypeError, ValueError, RuntimeError, ImportError) as error:
            raise OptionError(f"'options' are not those of torchmetrics' {cls.__name__}: {error}") from error
    return made.set_dtype(torch.float64)


def merges(metric: Any) -> bool:
    """Whether all its states can be put together: sums, extremes and lists."""
    return all(
        isinstance(default, list) or getattr(metric._reductions[name], "__name__", "") in _MERGING
        for name, default in metric._defaults.items()
    )


class Features(nn.Module):
    """Stands where a metric wants a network: what it is shown are features already.

    Args:
        num_features: their width, under the name that torchmetrics asks for.
    """

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features
