"""The few data points a sample is still on its way to, and the certificate that no other one matters."""

from __future__ import annotations

import attrs
import torch
from torch import Tensor

from kinetic import Dataset
from kinetic.types import PerSample

KEEP = 16
"""How many candidates a sample has."""

_ELEMENTS = 2**19  # of candidates at a time, 4 MiB of doubles


@attrs.frozen(eq=False)
class Candidates:
    """Candidates of some samples, for an `Anchor` to keep.

    Args:
        rows: int64 `(r,)`, which samples.
        index: int64 `(r, k)`, the candidates, k <= KEEP.
        z0, y: float64 `(r, d)`, where the samples were, and points their candidates lie around.
        gap: float64 `(r,)`, at most |z0 - x_i|^2 - |z0 - y|^2 for every point i outside `index`.
    """

    rows: Tensor
    index: Tensor
    z0: Tensor
    y: Tensor
    gap: PerSample


@attrs.frozen(eq=False)
class Anchor:
    """What a look at the data leaves to later ones, sample by sample.

    With z = x/t, every point i outside `index` satisfies |z0 - x_i|^2 - |z0 - y|^2 >= gap, whatever the time.

    Args:
        index: int64 `(m, KEEP)`, the candidates; -1 where there is none. A sample without any has no anchor.
        frame: float64 `(m, 2, d)`, z0, where the sample was, and y, a point its candidates lie around.
        gap: float64 `(m,)`.
    """

    index: Tensor
    frame: Tensor
    gap: PerSample

    @classmethod
    def nowhere(cls, like: Tensor) -> Anchor:
        """No anchor for any of the samples `(m, d)`."""
        (m, d), nothing = like.shape, like.new_zeros(1, dtype=torch.float64)
        index = torch.full((1, 1), -1, dtype=torch.int64, device=like.device)
        return cls(index.expand(m, KEEP), nothing.expand(m, 2, d), nothing.expand(m))

    def updated(self, passed: Tensor, candidates: list[Candidates]) -> Anchor:
        """The anchor with the latest candidates; samples of which a pass was needed that left none have no anchor."""
        index, frame, gap = self.index.clone(), self.frame.clone(), self.gap.clone()
        index[passed] = -1
        for new in candidates:
            index[new.rows] = torch.nn.functional.pad(new.index, (0, KEEP - new.index.shape[1]), value=-1)
            frame[new.rows, 0], frame[new.rows, 1] = new.z0, new.y
            gap[new.rows] = new.gap.clamp_max(1e30)  # infinite where there is no point outside
        return Anchor(index, frame, gap)

    def bound(self, rows: Tensor | slice, z: Tensor, nearest: PerSample) -> PerSample:
        """A lower bound on |z - x_i|^2 - nearest over all points i outside `index`, float64 `(r,)`.

        |z - x_i|^2 - |z - y|^2 is affine in z. With z = y + c (z0 - y) + e, c in [0, 1), and r_i = |x_i - y| it is at
        least c gap + (1 - c) r_i^2 - 2 |e| r_i >= c gap - |e|^2 / (1 - c). For other c the bound is -inf.

        Args:
            rows: the samples asked about.
            z: float64 `(r, d)`, where they are.
            nearest: float64 `(r,)`, their least squared distances to a candidate.
        """
        z0, y = self.frame[rows, 0], self.frame[rows, 1]
        before, now = z0 - y, z - y
        square, along = now.square().sum(1), (before * now).sum(1)
        c = along / before.square().sum(1).clamp_min(1e-300)
        off = (square - along * c).clamp_min(0) + 1e-13 * square  # |e|^2, with what it may have lost by cancelling
        bound = c * self.gap[rows] - off / (1 - c) + square - nearest
        return torch.where((c >= 0) & (c < 1), bound, -torch.inf)


@attrs.frozen(eq=False)
class Weighed:
    """The softmax over the candidates alone, from differences, in float64.

    Args:
        mean: `(m, d)`, the mean candidate.
        squares: `(m, k)`, |z - x_i|^2; infinite where there is no candidate.
    """

    mean: Tensor
    squares: Tensor


def weigh(z: Tensor, a: PerSample, index: Tensor, data: Dataset) -> Weighed:
    """Mean and squared distances of the candidates `index` `(m, k)`, for z float64 `(m, d)` and a `(m,)`.

    The weights are softmax_i( -a |z - x_i|^2 / 2 ). The differences are formed first, so that near-duplicates stay
    apart.
    """
    m, k = index.shape
    rows = max(1, _ELEMENTS // max(1, k * z.shape[1]))
    parts = [_weighed(z[i : i + rows], a[i : i + rows], index[i : i + rows], data) for i in range(0, m, rows)]
    if len(parts) == 1:
        return parts[0]
    return Weighed(torch.cat([part.mean for part in parts]), torch.cat([part.squares for part in parts]))


def _weighed(z: Tensor, a: PerSample, index: Tensor, data: Dataset) -> Weighed:
    m, k = index.shape
    points = data.take(index.clamp_min(0).flatten()).to(z.device).flatten(1).double().view(m, k, -1)
    squares = (z[:, None] - points).square_().sum(2)
    if k == 1:
        return Weighed(points[:, 0], squares)
    squares.masked_fill_(index < 0, torch.inf)
    weights = torch.softmax(-0.5 * a[:, None] * (squares - squares.amin(1, keepdim=True)), 1)
    return Weighed(torch.bmm(weights[:, None], points)[:, 0], squares)
