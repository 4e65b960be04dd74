"""Balls that reach to each point's k-th neighbour, and who lies in them."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import torch
from torch import Tensor

from kinetic import evidence
from kinetic.precision import full_precision
from kinetic_metrics.expanded import CROWDED, PAIRS, Centred, Scratch, error, products
from kinetic_metrics.nearest import neighbours

_ROWS = 2048  # points of either set at a time: a block of distances is 32 MB
_EDGE = 1 - 1e-12  # what is nearer to an edge than this lies on it, and not inside


@attrs.frozen(eq=False)
class Balls:
    """A ball round each of m points of a set.

    Args:
        points: `(m, f)`.
        groups: int64 `(m,)`, the jackknife group of each.
        radii: float64 `(m,)`, the L2 distance to the k-th nearest other point.
        wider: float64 `(m,)`, to the one after that, or the same where there is none.
        near: int64 `(m, GROUPS)`, how many of the k nearest, and the point itself, are of each group.
    """

    points: Tensor
    groups: Tensor
    radii: Tensor
    wider: Tensor
    near: Tensor

    @classmethod
    def of(cls, points: Tensor, groups: Tensor, k: int, device: torch.device) -> Balls:
        """Measured on a device, kept on the CPU; k is below m."""
        count = min(k + 2, len(points))  # the point itself, or its equal, is one of them
        distances, index = neighbours(points, points, count, device)
        near = torch.zeros(len(points), evidence.GROUPS, dtype=torch.int64)
        near.scatter_add_(1, groups[index[:, : k + 1]], torch.ones_like(index[:, : k + 1]))
        return cls(points, groups, distances[:, k], distances[:, -1], near)


@attrs.frozen(eq=False)
class Overlaps:
    """Who of n samples x and m reference points y lies in whose ball.

    Args:
        counts: int64 `(n, GROUPS)`, in the balls of how many y of each group each x is.
        covered: bool `(m, GROUPS)`, whether any x of the group is in the ball of each y.
        recalled: bool `(m, GROUPS)`, whether each y is in the ball of any x of the group.
        held: int64 `(m,)`, how many x are in the ball of each y.
        held_wider: int64 `(m,)`, how many are in the wider one.
    """

    counts: Tensor
    covered: Tensor
    recalled: Tensor
    held: Tensor
    held_wider: Tensor


def overlaps(y: Balls, x: Balls, device: torch.device) -> Overlaps:
    """Who lies in whose ball, block by block, computed on a device and kept on the CPU."""
    n, m = len(x.points), len(y.points)
    counts, covered = (
        torch.zeros(n, evidence.GROUPS, dtype=torch.int64),
        torch.zeros(m, evidence.GROUPS, dtype=torch.bool),
    )
    held, held_wider = torch.zeros(2, m, dtype=torch.int64)
    found = Overlaps(counts, covered, torch.zeros_like(covered), held, held_wider)
    member = torch.nn.functional.one_hot(y.groups, evidence.GROUPS).float().to(device)
    columns = [(radii * _EDGE).square()[:, None] for radii in (y.radii, y.wider)]
    row = (x.radii * _EDGE).square()[None]
    centre = y.points.mean(0, dtype=torch.float64).to(device)
    dtype = torch.promote_types(torch.promote_types(x.points.dtype, y.points.dtype), torch.float32)
    scratch = Scratch()
    with full_precision(device):
        for i in range(0, m, _ROWS):
            those = slice(i, i + _ROWS)
            ours = Centred.of(y.points[those].to(device), centre, dtype, scratch, "reference")
            for j in range(0, n, _ROWS):
                these = slice(j, j + _ROWS)
                others = Centred.of(x.points[these].to(device), centre, dtype, scratch, "samples")
                edges = [edge[those].to(device) for edge in columns] + [row[:, these].to(device)]
                inside, wider, reached = _inside(ours, others, edges, centre, scratch)
                found.counts[these] += (inside.T.float() @ member[those]).long().cpu()  # below 2^24: exact
                found.held[those] += inside.sum(1).cpu()
                found.held_wider[those] += wider.sum(1).cpu()
                _mark(found.covered[those], inside, x.groups[these])
                _mark(found.recalled[those], reached, x.groups[these])
    return found


def _inside(a: Centred, b: Centred, edges: Sequence[Tensor], centre: Tensor, scratch: Scratch) -> list[Tensor]:
    """Whether d_ij^2 is below each edge, float64 `(m, 1)` of a or `(1, n)` of b; bool `(m, n)` each.

    Pairs that the error of the expanded square could take across an edge are measured from their differences in
    float64. Where they are many, the products are made again in float64 first.
    """
    dtype, f = a.about.dtype, a.about.shape[1]
    squares = products(a, b, scratch).add_(a.squares.to(dtype)[:, None])
    slack = error(a.squares.max().sqrt() + b.squares.max().sqrt(), f, dtype)
    below = [squares < edge.to(dtype) for edge in edges]
    near = torch.zeros_like(below[0])
    for edge in edges:
        near |= ~((squares - edge.to(dtype)).abs() > slack)  # NaN, of an overflow, is near too
    rows, columns = near.nonzero(as_tuple=True)
    if len(rows) > near.numel() // CROWDED and dtype != torch.float64:
        again = Scratch()
        exact = [Centred.of(side.points, centre, torch.float64, again, name) for side, name in ((a, "a"), (b, "b"))]
        return _inside(exact[0], exact[1], edges, centre, again)
    for i, j in zip(*(index.split(max(1, PAIRS // max(1, f))) for index in (rows, columns)), strict=True):
        distance = (a.points[i].double() - b.points[j].double()).square().sum(1)
        for pairs, edge in zip(below, edges, strict=True):
            pairs[i, j] = distance < edge.expand(pairs.shape)[i, j]
    return below


def _mark(held: Tensor, pairs: Tensor, groups: Tensor) -> None:
    """Set `held` `(m, GROUPS)` where a pair `(m, n)` of a column of the group `(n,)` is true."""
    rows, columns = pairs.nonzero(as_tuple=True)
    held[rows.cpu(), groups[columns.cpu()]] = True
