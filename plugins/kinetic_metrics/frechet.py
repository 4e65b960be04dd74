"""The Frechet distance in a feature space; with Inception features, the FID."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import final

import attrs
import numpy as np
import torch
from kinetic_features import Pixels
from torch import Tensor

import kinetic
from kinetic import Column, Dataset, Estimate, FeatureSpace, Metric, Samples, Score, device_of, embed, evidence, options
from kinetic.errors import OptionError, ShapeError
from kinetic_metrics.gaussians import Gaussian, Moments, gaussian_distance, negative_eigenvalue
from kinetic_metrics.jackknife import LEAST, jackknife_groups, no_interval

_BLOCK = 256  # reference points through the feature net at a time
_SYMMETRIC = 1e-6  # how far sigma may be from its transpose
_WIDEST = 2048  # the jackknife keeps the covariances of its groups and costs as many distances more


@attrs.frozen(eq=False)
class _Seen:
    """Features of one kind seen so far: as they are while few, then the moments of each jackknife group.

    What is held is bounded: n <= width features are kept for their factor, and beyond that no more than the
    covariances of the `groups`, and as many features again.
    """

    n: int = 0
    width: int = 0
    parts: tuple[tuple[Tensor, Tensor], ...] = ()
    sums: Mapping[int, Moments] = attrs.field(factory=dict)

    @property
    def groups(self) -> int:
        """Of the jackknife; 1 where there is none."""
        return jackknife_groups(self.width, _WIDEST)

    def append(self, ids: Tensor, features: Tensor) -> _Seen:
        """These and a batch of features `(m, f)` more."""
        if len(features) == 0:
            return self
        width = features.shape[1]
        groups = torch.from_numpy(evidence.groups(ids.cpu().numpy(), jackknife_groups(width, _WIDEST)))
        return self.concat(_Seen(len(features), width, ((groups, features.detach().cpu()),)))

    def concat(self, other: _Seen) -> _Seen:
        """Both."""
        if self.n and other.n and self.width != other.width:
            raise ShapeError(f"features must be as many for every sample: {self.width} and {other.width}")
        width = max(self.width, other.width)
        both = _Seen(self.n + other.n, width, self.parts + other.parts, _merged(self.sums, other.sums))
        kept = sum(len(features) for _, features in both.parts)
        return both.summed() if kept > width * both.groups else both

    def summed(self) -> _Seen:
        """The same with moments only."""
        if not self.parts:
            return self
        groups, features = self.rows()
        sums = {int(group): Moments.of(features[groups == group]) for group in groups.unique()}
        return _Seen(self.n, self.width, (), _merged(self.sums, sums))

    def rows(self) -> tuple[Tensor, Tensor]:
        """Groups and features kept as they are."""
        groups, features = zip(*self.parts, strict=True)
        return torch.cat(groups), torch.cat(features)

    def gaussian(self) -> Gaussian:
        """Fitted to all."""
        if self.n <= max(self.width, 1):
            return Gaussian.fitted(self.rows()[1] if self.n else torch.zeros(0, 1))
        return _total(self.summed().sums).gaussian()

    def without_each_group(self) -> Iterator[Gaussian]:
        """Fitted to all but one group of the jackknife, for each group."""
        if self.n <= self.width:
            groups, features = self.rows()
            yield from (Gaussian.fitted(features[groups != group]) for group in range(self.groups))
            return
        sums = self.summed().sums
        total = _total(sums)
        for group in range(self.groups):
            yield (total.without(sums[group]) if group in sums else total).gaussian()


@final
@attrs.frozen(eq=False)
class FrechetDistance(Metric):
    """||m1 - m2||^2 + Tr(S1 + S2 - 2 (S1 S2)^{1/2}) between Gaussians fitted to samples and reference in feature space.

    Value: `fd`. Interval by the jackknife over 20 groups of sample ids, over 10 above 512 features, for 60 samples or
    more and up to 2,048 features; the reference is held fixed. The distance is biased upwards, by about 1/n: compare
    equal n only. A note gives n, and warns where n is below ten times the width of the features.

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

    def begin(self) -> _Seen:
        return _Seen()

    def observe(self, state: _Seen, samples: Samples) -> _Seen:
        return state.append(samples.ids, self._embedded(samples.x))

    def merge(self, a: _Seen, b: _Seen) -> _Seen:
        return a.concat(b)

    def finish(self, state: _Seen) -> Score:
        n, width = state.n, state.width
        value = _estimate(state, self._target)
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
        return Score({"fd": value}, notes=tuple(notes))

    def save_statistics(self, path: str | Path) -> None:
        """Write mean and covariance of the reference to a `.npz` file, as `mu` and `sigma`, as pytorch-fid does."""
        with torch.inference_mode():
            fitted = self._fitted()
            cov = fitted.cov if fitted.rows is None else fitted.rows.mT @ fitted.rows
        assert cov is not None
        place = Path(path)
        unfinished = place.with_name(f".{place.name}.{os.getpid()}.part")
        try:
            with open(unfinished, "wb") as file:
                np.savez_compressed(file, mu=fitted.mean.cpu().numpy(), sigma=cov.cpu().numpy())
            os.replace(unfinished, place)
        except OSError as error:
            raise OptionError(f"the statistics cannot be written to {str(place)!r}: {error}") from error
        finally:
            unfinished.unlink(missing_ok=True)

    @cached_property
    def _target(self) -> Gaussian:
        """The reference, fitted once however often this very metric finishes."""
        return self._fitted() if self.reference is None else Gaussian.fitted(self.features.table(self.reference))

    def _fitted(self) -> Gaussian:
        """The statistics, or the Gaussian of the reference, of which no more than a block is held at a time."""
        if self.reference is None:
            assert self._mu is not None
            assert self._sigma is not None
            return Gaussian(self._mu.cpu(), self._sigma.cpu())
        device, seen = device_of(self.features) or torch.device("cpu"), _Seen()
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


def _estimate(seen: _Seen, reference: Gaussian) -> Estimate:
    value = gaussian_distance(seen.gaussian(), reference)
    if seen.groups < 2 or seen.n < LEAST:
        return Estimate(value)
    found = evidence.jackknife(value, [gaussian_distance(left, reference) for left in seen.without_each_group()])
    assert found.low is not None
    return attrs.evolve(found, low=max(0.0, found.low))  # no distance is below 0


def _statistics(location: str) -> tuple[Tensor, Tensor]:
    remedy = "pytorch-fid --save-stats and `kinetic statistics` write such files."
    path = options.existing_path(location, what="statistics", remedy=remedy)
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


def _merged(a: Mapping[int, Moments], b: Mapping[int, Moments]) -> Mapping[int, Moments]:
    return {
        group: a[group].merge(b[group]) if group in a and group in b else (a[group] if group in a else b[group])
        for group in a.keys() | b.keys()
    }


def _total(sums: Mapping[int, Moments]) -> Moments:
    first, *others = (sums[group] for group in sorted(sums))
    for other in others:
        first = first.merge(other)
    return first
