"""The Frechet distance in a feature space; with Inception features, the FID."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import attrs
import torch
from kinetic_features import Pixels
from torch import Tensor

from kinetic import (
    Dataset,
    Estimate,
    FeatureSpace,
    Metric,
    Samples,
    Score,
    as_dataset,
    device_of,
    evidence,
    options,
)
from kinetic.errors import OptionError, ShapeError
from kinetic_metrics.gaussians import Gaussian, Moments, gaussian_distance

_BLOCK = 256  # reference points through the feature net at a time
_WIDEST = 512  # the jackknife keeps 20 covariances and costs 20 more distances, each cubic in the width


@attrs.frozen(eq=False)
class _Seen:
    """Features of one kind seen so far: as they are while few, then the moments of each jackknife group.

    What is held is bounded: n <= width features are kept for their factor, and beyond that no more than the
    covariances of the groups, which are 20 up to `_WIDEST` features and 1 above, and as many features again.
    """

    n: int = 0
    width: int = 0
    parts: tuple[tuple[Tensor, Tensor], ...] = ()
    sums: Mapping[int, Moments] = attrs.field(factory=dict)

    @property
    def grouped(self) -> bool:
        """Whether there is a jackknife."""
        return self.width <= _WIDEST

    def adding(self, ids: Tensor, features: Tensor) -> _Seen:
        """These and a batch of features `(m, f)` more."""
        if len(features) == 0:
            return self
        groups = torch.from_numpy(evidence.groups(ids.cpu().numpy()))
        part = (groups, features.detach().cpu())
        return self.joined(_Seen(len(features), features.shape[1], (part,)))

    def joined(self, other: _Seen) -> _Seen:
        """Both."""
        if self.n and other.n and self.width != other.width:
            raise ShapeError(f"features must be as many for every sample: {self.width} and {other.width}")
        width = max(self.width, other.width)
        both = _Seen(self.n + other.n, width, self.parts + other.parts, _merged(self.sums, other.sums))
        kept = sum(len(features) for _, features in both.parts)
        return both.summed() if kept > width * (evidence.GROUPS if both.grouped else 1) else both

    def summed(self) -> _Seen:
        """The same with moments only."""
        if not self.parts:
            return self
        groups, features = self.rows()
        if not self.grouped:
            groups = torch.zeros_like(groups)
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

    def without_each_group(self) -> list[Gaussian]:
        """Fitted to all but one group of the jackknife, for each group."""
        if self.n <= self.width:
            groups, features = self.rows()
            return [Gaussian.fitted(features[groups != group]) for group in range(evidence.GROUPS)]
        sums = self.summed().sums
        total = _total(sums)
        left = [total.without(sums[group]) if group in sums else total for group in range(evidence.GROUPS)]
        return [moments.gaussian() for moments in left]


@attrs.frozen(eq=False)
class _State:
    """Samples, and their denoised ones; one and the same object as long as no sample differs."""

    x: _Seen
    denoised: _Seen


@final
@attrs.frozen(eq=False)
class FrechetDistance(Metric):
    """||m1 - m2||^2 + Tr(S1 + S2 - 2 (S1 S2)^{1/2}) between Gaussians fitted to samples and reference in feature space.

    Values:
        fd           of the samples
        fd_denoised  of the denoised samples (see `Samples`): what is left when leftover noise is taken off
    Intervals by the jackknife over 20 groups of sample ids, for features up to 512 wide; the reference is held fixed.
    The distance is biased upwards, by about 1/n: compare equal n only. A note gives n, and warns where n is below ten
    times the width of the features.

    Args:
        reference: data to compare with, best none that the model was trained on.
        features: the space; `inception` makes this the FID.
    """

    reference: Dataset = options.component("dataset", converter=as_dataset, doc="data to compare with")
    features: FeatureSpace = options.component("features", Pixels(), doc="the space")

    def begin(self) -> _State:
        nothing = _Seen()
        return _State(nothing, nothing)

    def observe(self, state: _State, samples: Samples) -> _State:
        features = self._checked(samples.x)
        x = state.x.adding(samples.ids, features)
        if samples.denoised is samples.x or torch.equal(samples.denoised, samples.x):
            return _State(x, x if state.x is state.denoised else state.denoised.adding(samples.ids, features))
        return _State(x, state.denoised.adding(samples.ids, self._checked(samples.denoised)))

    def merge(self, a: _State, b: _State) -> _State:
        x = a.x.joined(b.x)
        same = a.x is a.denoised and b.x is b.denoised
        return _State(x, x if same else a.denoised.joined(b.denoised))

    def finish(self, state: _State) -> Score:
        place = device_of(self.features) or torch.device("cpu")
        theirs = _Seen()
        for _, block in self.reference.blocks(_BLOCK):
            one_group = torch.zeros(len(block), dtype=torch.int64)
            theirs = theirs.adding(one_group, self._checked(block.to(place)))
        reference = theirs.gaussian()
        n, width = state.x.n, state.x.width
        values = {"fd": _estimate(state.x, reference)}
        same = state.x is state.denoised
        values["fd_denoised"] = values["fd"] if same else _estimate(state.denoised, reference)
        notes = [
            f"Frechet distance of {n} samples to {len(self.reference)} reference points, in {width} "
            f"{type(self.features).__name__} features."
        ]
        if n < 10 * width:
            notes.append(f"{n} samples are few for {width} features (below ten times): much of the distance is bias.")
        return Score(values, notes=tuple(notes))

    def _checked(self, x: Tensor) -> Tensor:
        features = self.features.features(x)
        if not bool(torch.isfinite(features).all()):
            raise OptionError(f"{type(self.features).__name__} features must be finite: some are NaN or infinite")
        return features


def _estimate(seen: _Seen, reference: Gaussian) -> Estimate:
    value = gaussian_distance(seen.gaussian(), reference)
    if not seen.grouped or seen.n < 3 * evidence.GROUPS:
        return Estimate(value)
    return evidence.jackknife(value, [gaussian_distance(left, reference) for left in seen.without_each_group()])


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
