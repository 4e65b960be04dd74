"""The Frechet distance in a feature space; with Inception features, the FID."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import final

import attrs
import numpy as np
import torch
from kinetic_features import Pixels
from torch import Tensor

import kinetic
from kinetic import Column, Dataset, FeatureSpace, Metric, Samples, Score, device_of, embed, options
from kinetic.errors import OptionError, ShapeError
from kinetic_metrics.frechet_estimate import FrechetEstimate, frechet_estimate
from kinetic_metrics.gaussians import Gaussian
from kinetic_metrics.grouped_features import GroupedFeatures
from kinetic_metrics.jackknife import FEWEST, LEAST, no_interval

_BLOCK = 256  # reference points through the feature net at a time
_SYMMETRIC = 1e-6  # how far sigma may be from its transpose
_WIDEST = 2048  # the jackknife keeps the covariances of its groups and costs as many distances more


@final
@attrs.frozen(eq=False)
class FrechetDistance(Metric):
    """||m1 - m2||^2 + Tr(S1 + S2 - 2 (S1 S2)^{1/2}) between Gaussians fitted to samples and reference in feature space.

    Value: `fd`. Interval by the jackknife over 20 groups of sample ids, given this reference, for 60 samples or more
    and up to 2,048 features. The values without a group are refits, and above 512 features those of the derivative of
    the distance, which one decomposition gives; where that does not exist, since samples or reference points are no
    more than the features or some features are copies of others, they are refits over 10 groups.

    The distance is biased upwards, by about b/n + c/m: compare equal n only. With n and m of four times the width or
    more 3 FD(n, m) - mean FD(n/2, m) - mean FD(n, m/2), over halves of the samples and of the reference, is free of
    that; a note gives it, with the interval over draws of the reference as well as of samples, by a second jackknife
    over 20 groups of its points. Differences between arms are of that value, which may be below 0, with that interval;
    with fewer there are none. Of statistics in a file the interval can only be given them, and the bias of n alone
    comes off. A note gives n, and warns where it is below ten times the width of the features.

    Args:
        reference: data to compare with, best none that the model was trained on.
        features: the space; `inception` makes this the FID.
        statistics: in place of `reference`, a `.npz` file of its `mu` and `sigma` in that space, as `save_statistics`
            and pytorch-fid write it. Nothing in the file tells the space: a wrong one of the same width goes unnoticed.
    """

    reference: Dataset | None = options.component(
        Dataset, None, converter=kinetic.as_dataset, doc="data to compare with", unless="statistics"
    )
    features: FeatureSpace = options.component(FeatureSpace, Pixels(), doc="the space")
    statistics: str | None = attrs.field(
        default=None, metadata={options.BOUND: "a .npz file of mu and sigma, instead of 'reference', or nothing"}
    )
    described = (Column("fd", "Frechet distance to the reference.", better="lower"),)
    _mu: Tensor | None = attrs.field(init=False, repr=False)
    _sigma: Tensor | None = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if (self.reference is None) == (self.statistics is None):
            raise OptionError(
                "one of 'reference' and 'statistics' must be given, not "
                + ("both" if self.statistics is not None else "neither")
            )
        mu, sigma = (None, None) if self.statistics is None else _statistics(self.statistics)
        object.__setattr__(self, "_mu", mu)
        object.__setattr__(self, "_sigma", sigma)

    def check(self, samples: Samples) -> None:
        x = self._embedded(samples.x)
        if self.reference is not None:
            kinetic.check_reference(self.features, x, self.reference)

    def begin(self) -> GroupedFeatures:
        return GroupedFeatures(_WIDEST)

    def observe(self, state: GroupedFeatures, samples: Samples) -> GroupedFeatures:
        return state.append(samples.ids, self._embedded(samples.x))

    def merge(self, a: GroupedFeatures, b: GroupedFeatures) -> GroupedFeatures:
        return a.concat(b)

    def finish(self, state: GroupedFeatures) -> Score:
        n, width = state.n, state.width
        known = frechet_estimate(state, self._target)
        value = known.given
        against = (
            f"the statistics in {self.statistics}"
            if self.reference is None
            else f"{len(self.reference)} reference points"
        )
        notes = [f"Frechet distance of {n} samples to {against}, in {width} {type(self.features).__name__} features."]
        if n < 10 * width:
            notes.append(f"{n} samples are few for {width} features (below ten times): much of the distance is bias.")
        if value.low is None:
            notes.append(no_interval(n, width, _WIDEST))
        else:
            notes.extend(_of_the_interval(known, width))
        return Score({"fd": value}, notes=tuple(notes))

    def save_statistics(self, path: str | Path) -> None:
        """Write mean and covariance of the reference to a `.npz` file, as `mu` and `sigma`, as pytorch-fid does."""
        with torch.no_grad():
            fitted = self._fitted()
            cov = fitted.cov if fitted.rows is None else fitted.rows.mT @ fitted.rows
        assert cov is not None
        place = Path(path)
        unfinished = place.with_name(f".{place.name}.{os.getpid()}.part")
        try:
            unfinished.unlink(missing_ok=True)
            with open(unfinished, "xb") as file:  # never through a link that somebody put there
                np.savez_compressed(file, mu=fitted.mean.cpu().numpy(), sigma=cov.cpu().numpy())
            os.replace(unfinished, place)
        except OSError as error:
            raise OptionError(f"the statistics cannot be written to {str(place)!r}: {error}") from error
        finally:
            unfinished.unlink(missing_ok=True)

    @cached_property
    def _target(self) -> GroupedFeatures | Gaussian:
        """The reference by groups, or the statistics, made once however often this very metric finishes."""
        if self.reference is None:
            return self._fitted()
        table = self.features.table(self.reference)
        return GroupedFeatures(_WIDEST).append(torch.arange(len(table)), table)

    def _fitted(self) -> Gaussian:
        """The statistics, or the Gaussian of the reference, of which no more than a block is held at a time."""
        if self.reference is None:
            assert self._mu is not None
            assert self._sigma is not None
            return Gaussian(self._mu.cpu(), self._sigma.cpu())
        device, seen = device_of(self.features) or torch.device("cpu"), GroupedFeatures(_WIDEST)
        for _, block in kinetic.checked("reference points", self.reference).blocks(_BLOCK):
            seen = seen.append(torch.zeros(len(block), dtype=torch.int64), embed(self.features, block.to(device)))
        return seen.gaussian()

    def _embedded(self, x: Tensor) -> Tensor:
        features = embed(self.features, x)
        if self._mu is not None and features.shape[1] != len(self._mu):
            raise ShapeError(
                f"{type(self.features).__name__} gives {features.shape[1]} features, and the statistics in "
                f"{self.statistics} are of {len(self._mu)}: give the feature space they were computed in"
            )
        return features


def _of_the_interval(known: FrechetEstimate, width: int) -> list[str]:
    """What the interval is of, the one over draws of both, and why there is no difference between arms, in words."""
    notes = ["The interval is given this reference."]
    if known.both is not None:
        both = known.both
        freed = f"{both.value:.4g} is the distance freed of its bias in n and m"
        notes = [
            "The interval is given this reference; over draws of the reference as well it is "
            f"[{both.low:.4g}, {both.high:.4g}] ({freed if known.freed else 'with the bias in n and m'})."
        ]
    if known.given.leave_out is None:
        notes.append(
            f"No difference between arms: the bias comes off with {max(LEAST, FEWEST * width)} samples and as many "
            "reference points, or more."
        )
    return notes


def _statistics(location: str) -> tuple[Tensor, Tensor]:
    remedy = "pytorch-fid --save-stats and `kinetic statistics` write such files."
    path = options.existing_file(location, what="statistics", remedy=remedy)
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:  # NumPy leaves open what is no zip
            held = list(file.files)
            mu, sigma = (np.asarray(file[name], np.float64) for name in ("mu", "sigma"))
    except KeyError:
        raise OptionError(
            f"statistics must hold 'mu' and 'sigma': {path} holds {', '.join(held)}\n  {remedy}"
        ) from None
    except Exception as error:  # at what is no such file NumPy and the zip below it raise almost anything
        raise OptionError(f"'statistics' cannot be read as a .npz file: {path}: {error}\n  {remedy}") from error
    if mu.ndim != 1 or sigma.shape != (len(mu), len(mu)):
        raise ShapeError(f"statistics must be mu (f,) and sigma (f, f): {path} holds {mu.shape} and {sigma.shape}")
    if not (np.isfinite(mu).all() and np.isfinite(sigma).all()):
        raise OptionError(f"statistics must be finite: {path} holds NaN or infinity")
    if np.abs(sigma - sigma.T).max() > _SYMMETRIC * np.abs(sigma).max():
        raise OptionError(f"'sigma' must be a covariance, symmetric: that in {path} is not\n  {remedy}")
    cov = torch.from_numpy((sigma + sigma.T) / 2)
    if (lowest := negative_eigenvalue(cov)) is not None:
        raise OptionError(
            f"'sigma' must be a covariance, with no negative eigenvalue: {path} has one of {lowest:.6g}\n  {remedy}"
        )
    return torch.from_numpy(mu), cov


def negative_eigenvalue(cov: Tensor) -> float | None:
    """The lowest eigenvalue of a symmetric `(f, f)` float64, if it is further below 0 than rounding takes it; or None.

    Allowed is what a covariance may lose that was once kept in float32, and that is more than sums in float64 lose:
    Weyl's bound on the eigenvalues is eps/2 ||S||_F; here twice that. Cholesky tells at a tenth of the cost.
    """
    slack = float(cov.norm()) * torch.finfo(torch.float32).eps
    _, failed = torch.linalg.cholesky_ex(cov + slack * torch.eye(len(cov), dtype=cov.dtype))
    if not int(failed):
        return None
    lowest = float(torch.linalg.eigvalsh(cov)[0])
    return lowest if lowest < -slack else None
