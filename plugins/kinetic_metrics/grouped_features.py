"""Features of one kind seen so far, by jackknife group, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

import attrs
import torch
from torch import Tensor

from kinetic import evidence
from kinetic.errors import ShapeError
from kinetic_metrics.gaussians import Gaussian, Moments

_ROWS = 1024  # points at a time


@attrs.frozen(eq=False)
class GroupedFeatures:
    """As they are while few, then the moments of each group.

    What is held is bounded: n <= width features are kept for their factor, and beyond that no more than the
    covariances of the groups, and as many features again.

    Args:
        widest: features of this width have 20 groups, wider ones a single one.
    """

    widest: int
    n: int = 0
    width: int = 0
    parts: tuple[tuple[Tensor, Tensor], ...] = ()
    sums: Mapping[int, Moments] = attrs.field(factory=dict)

    @property
    def groups(self) -> int:
        """Of the jackknife; 1 where there is none."""
        return evidence.GROUPS if self.width <= self.widest else 1

    def append(self, ids: Tensor, features: Tensor) -> GroupedFeatures:
        """These and a batch of features `(m, f)` of samples, or reference points, with these numbers `(m,)` more."""
        if len(features) == 0:
            return self
        batch = GroupedFeatures(self.widest, len(features), features.shape[1])
        groups = torch.from_numpy(evidence.groups(ids.cpu().numpy(), batch.groups))
        return self.concat(attrs.evolve(batch, parts=((groups, features.detach().cpu()),)))

    def concat(self, other: GroupedFeatures) -> GroupedFeatures:
        """Both."""
        if self.n and other.n and self.width != other.width:
            raise ShapeError(f"features must be as many for every sample: {self.width} and {other.width}")
        width = max(self.width, other.width)
        sums = _merged(self.sums, other.sums)
        both = GroupedFeatures(self.widest, self.n + other.n, width, self.parts + other.parts, sums)
        kept = sum(len(features) for _, features in both.parts)
        return both.summed if kept > width * both.groups else both

    @cached_property
    def summed(self) -> GroupedFeatures:
        """The same with moments only."""
        if not self.parts:
            return self
        groups, features = self.rows
        sums = dict(self.sums)
        for group in groups.unique().tolist():  # one at a time: the covariances of all groups may be half a gigabyte
            part = Moments.of(features[groups == group])
            sums[group] = sums[group].merge(part) if group in sums else part
        return attrs.evolve(self, parts=(), sums=sums)

    @cached_property
    def rows(self) -> tuple[Tensor, Tensor]:
        """Groups and features kept as they are."""
        if len(self.parts) == 1:
            return self.parts[0]
        groups, features = zip(*self.parts, strict=True)
        return torch.cat(groups), torch.cat(features)

    def gaussian(self) -> Gaussian:
        """Fitted to all."""
        if self.n <= max(self.width, 1):
            return Gaussian.fitted(self.rows[1] if self.n else torch.zeros(0, 1))
        return self.total.gaussian()

    @cached_property
    def total(self) -> Moments:
        """Moments of all."""
        return self._moments(self.groups)

    @property
    def halves(self) -> tuple[Moments, Moments]:
        """Moments of the points of the first half of the groups, and of the others; neither may be empty."""
        first = self._moments(self.groups // 2)
        return first, self.total.without(first)

    def without_each(self, count: int) -> Iterator[Gaussian]:
        """Fitted to all but one of `count` parts of equal numbers of neighbouring groups, for each part."""
        if self.n <= self.width:
            groups, features = self.rows
            part = groups * count // self.groups
            yield from (Gaussian.fitted(features[part != i]) for i in range(count))
            return
        sums = self.summed.sums
        for i in range(count):
            gone = [sums[g] for g in sorted(sums) if g * count // self.groups == i]
            yield (self.total.without(Moments.merged(gone)) if gone else self.total).gaussian()

    def sums_of(self, step: Tensor, factor: Tensor) -> tuple[Tensor, Tensor]:
        """Of 2 step . d + ||d||^2 - ||F^T d||^2, d = x - mean, over the points of each group, for n > width.

        Args:
            step: `(f,)`.
            factor: F `(f, r)`.
        Returns:
            how many points, and the sum, float64 `(groups,)` each.
        """
        counts, sums = torch.zeros(2, self.groups, dtype=torch.float64)
        mean = self.total.mean
        if self.parts:
            groups, features = self.rows
            narrow = factor.to(features.dtype)
            for group, block in zip(groups.split(_ROWS), features.split(_ROWS), strict=True):
                about = block.double() - mean
                products = (about.to(features.dtype) @ narrow).square().sum(1, dtype=torch.float64)
                sums.index_add_(0, group, about.square().sum(1) - products + 2 * about @ step)
                counts.index_add_(0, group, torch.ones_like(products))
        factor = factor.double()
        matrix = (factor @ factor.mT).flatten() if self.sums else factor
        for group, part in self.sums.items():
            about = part.mean - mean
            spread = part.scatter.trace() - matrix @ part.scatter.flatten()
            between = about @ about - (factor.mT @ about).square().sum()
            counts[group] += part.n
            sums[group] += spread + part.n * (between + 2 * step @ about)
        return counts, sums

    def _moments(self, count: int) -> Moments:
        """Of the points of the first `count` groups."""
        parts = [self.sums[group] for group in sorted(self.sums) if group < count]
        if self.parts:
            groups, features = self.rows
            features = features if count == self.groups else features[groups < count]
            parts += [Moments.of(features)] if len(features) else []
        return Moments.merged(parts)


def _merged(a: Mapping[int, Moments], b: Mapping[int, Moments]) -> Mapping[int, Moments]:
    return {
        group: a[group].merge(b[group]) if group in a and group in b else (a[group] if group in a else b[group])
        for group in a.keys() | b.keys()
    }
