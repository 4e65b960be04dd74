"""Features of one kind seen so far, by jackknife group, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs
import torch
from torch import Tensor

from kinetic import evidence
from kinetic.errors import ShapeError
from kinetic_metrics.gaussians import Gaussian, Moments


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
        return both.summed() if kept > width * both.groups else both

    def summed(self) -> GroupedFeatures:
        """The same with moments only."""
        if not self.parts:
            return self
        groups, features = self.rows()
        sums = {int(group): Moments.of(features[groups == group]) for group in groups.unique()}
        return attrs.evolve(self, parts=(), sums=_merged(self.sums, sums))

    def settled(self) -> GroupedFeatures:
        """The same as it is best fitted to: features up to n = width, moments beyond."""
        return self if self.n <= max(self.width, 1) else self.summed()

    def rows(self) -> tuple[Tensor, Tensor]:
        """Groups and features kept as they are."""
        groups, features = zip(*self.parts, strict=True)
        return torch.cat(groups), torch.cat(features)

    def gaussian(self) -> Gaussian:
        """Fitted to all."""
        if self.n <= max(self.width, 1):
            return Gaussian.fitted(self.rows()[1] if self.n else torch.zeros(0, 1))
        return self.total().gaussian()

    def total(self) -> Moments:
        """Moments of all."""
        sums = self.summed().sums
        return Moments.merged([sums[group] for group in sorted(sums)])

    def in_parts(self, count: int) -> Iterator[Gaussian]:
        """Fitted to each of `count` parts of equal numbers of neighbouring groups; 2 are halves."""
        if self.n <= self.width:
            groups, features = self.rows()
            part = groups * count // self.groups
            yield from (Gaussian.fitted(features[part == i]) for i in range(count))
            return
        sums = self.summed().sums
        for i in range(count):
            yield Moments.merged([sums[g] for g in sorted(sums) if g * count // self.groups == i]).gaussian()

    def without_each(self, count: int) -> Iterator[Gaussian]:
        """Fitted to all but one of `count` parts of equal numbers of neighbouring groups, for each part."""
        if self.n <= self.width:
            groups, features = self.rows()
            part = groups * count // self.groups
            yield from (Gaussian.fitted(features[part != i]) for i in range(count))
            return
        sums, total = self.summed().sums, self.total()
        for i in range(count):
            gone = [sums[g] for g in sorted(sums) if g * count // self.groups == i]
            yield (total.without(Moments.merged(gone)) if gone else total).gaussian()


def _merged(a: Mapping[int, Moments], b: Mapping[int, Moments]) -> Mapping[int, Moments]:
    return {
        group: a[group].merge(b[group]) if group in a and group in b else (a[group] if group in a else b[group])
        for group in a.keys() | b.keys()
    }
