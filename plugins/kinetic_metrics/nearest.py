"""The nearest points of a data set, exactly."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import torch
from torch import Tensor

from kinetic import Dataset, TensorData
from kinetic.errors import OptionError, ShapeError
from kinetic.precision import full_precision
from kinetic_metrics.expanded import CROWDED, PAIRS, Centred, Scratch, error, gamma, products

_BLOCK = 2**22  # elements of data at a time
_POINTS = 8192  # points at a time, at the most
_EVEN = 64  # points at a time are a multiple of this: products whose rows start unaligned take half as long again
_PRODUCTS = 2**22  # products of queries and points at a time


def nearest(
    x: Tensor, data: Dataset, k: int, features: Callable[[Tensor], Tensor] | None = None
) -> tuple[Tensor, Tensor]:
    """The k nearest points of the data to each of x, in L2, streaming over blocks of the data.

    ||a - b||^2 = ||a||^2 - 2 <a, b> + ||b||^2, about the mean of the first block and in float32 where queries and data
    are, only rules points out: those that are further than the k-th nearest so far by more than all roundings together
    can make (`_Rough.bound`). The others are measured from the differences in float64, so that near-duplicates stay
    apart. The result is that of brute force in float64; ties go to the lower index. No gradient flows.

    Args:
        x: `(m, f)` queries, already in the space of distances, finite.
        data: the points, finite; `features` maps a block of them to that space, `flatten` where None.
        k: how many, from 1 to the size of the data.
    Returns:
        distances float64 `(m, k)`, ascending, and indices int64 `(m, k)`.
    """
    if x.dim() != 2 or not x.is_floating_point():
        raise ShapeError(f"queries must be floating point, of shape (m, f): {x.dtype}, {tuple(x.shape)}")
    if not 1 <= k <= len(data):
        raise OptionError(f"'k' must be an int from 1 to {len(data)}, the size of the data: {k}")
    _finite(x, "queries")
    x = x.detach()
    best = torch.full((len(x), k), torch.inf, dtype=torch.float64, device=x.device)  # squared until the end
    index = torch.full((len(x), k), len(data), device=x.device)
    size = max(1, min(_POINTS, _BLOCK // max(1, data.event_shape.numel())))
    size = size // _EVEN * _EVEN or size
    most = max(1, _PRODUCTS // size)
    scratch, whole = Scratch(), None
    with torch.no_grad(), full_precision(x.device):
        for start, raw in data.blocks(size):
            points = _points(raw.to(x.device), x, features)
            if start == 0:
                centre = points.mean(0, dtype=torch.float64).float()
                dtype = torch.promote_types(torch.promote_types(x.dtype, points.dtype), torch.float32)
            block = _Block(points, centre, dtype, start, scratch)
            if not bool(torch.isfinite(block.centred.squares.sum())):  # where all norms are finite, all points are
                _finite(points, "data", start)
            for rows in range(0, len(x), most):
                part = slice(rows, rows + most)
                queries = whole or block.queries(x[part])
                whole = queries if len(x) <= most else None
                _look(queries, block, best[part], index[part])
    return best.sqrt(), index


def neighbours(x: Tensor, points: Tensor, k: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Distances float64 `(n, k)`, ascending, and indices int64 `(n, k)` of the k points `(m, f)` nearest to `(n, f)`.

    Computed on a device, given on the CPU.
    """
    distances, index = nearest(x.to(device), TensorData(points), k)
    return distances.cpu(), index.cpu()


class _Block:
    """Points from number `start` on, and about a centre in the type of the products."""

    def __init__(self, points: Tensor, centre: Tensor, dtype: torch.dtype, start: int, scratch: Scratch) -> None:
        self.points, self.centre, self.dtype, self.start, self.scratch = points, centre, dtype, start, scratch
        self.centred = Centred.of(points, centre, dtype, scratch, "points")

    def queries(self, x: Tensor) -> Centred:
        """x `(m, f)` as this block, and all with its centre, are compared with."""
        return Centred.of(x, self.centre, self.dtype, self.scratch, "queries")

    def exact(self) -> _Block:
        """The same in float64."""
        return _Block(self.points, self.centre, torch.float64, self.start, Scratch())


@attrs.frozen(eq=False)
class _Rough:
    """Distances from queries to the points of a block, up to rounding.

    Args:
        products: ||b||^2 - 2 <a, b> `(m, n)`.
        squares: ||a||^2 `(m,)`.
        reach: ||a|| + max ||b|| `(m,)`, for the rounding.
        f: how many features.
    """

    products: Tensor
    squares: Tensor
    reach: Tensor
    f: int

    @classmethod
    def of(cls, x: Centred, block: _Block) -> _Rough:
        """Of all queries and the block."""
        reach = x.squares.sqrt() + block.centred.squares.max().sqrt()
        return cls(products(x, block.centred, block.scratch), x.squares, reach, x.about.shape[1])

    def take(self, rows: Tensor) -> _Rough:
        """Of some of the queries."""
        if len(rows) == len(self.squares):
            return self
        return _Rough(self.products[rows], self.squares[rows], self.reach[rows], self.f)

    def bound(self, furthest: Tensor) -> Tensor:
        """`(m, 1)`, above which of the products a point is certainly further than `furthest` `(m,)`, squared.

        `furthest` is a sum over all features in float64. Where numbers overflow nothing is certain.
        """
        dtype = self.products.dtype
        slack = error(self.reach, self.f, dtype) + 2 * gamma(self.f, torch.float64) * furthest
        certain = self.reach.square() < torch.finfo(dtype).max / 8
        bound = torch.where(certain, furthest - self.squares + slack, torch.inf).to(dtype)
        return torch.nextafter(bound, torch.full_like(bound, torch.inf))[:, None]

    def within(self, furthest: Tensor) -> Tensor:
        """Which points `(m, n)` may not be further than `furthest` `(m,)`; NaN, of an overflow, is one that may not."""
        return ~(self.products > self.bound(furthest))


def _look(queries: Centred, block: _Block, best: Tensor, index: Tensor) -> None:
    """Measure all points of a block that can be among the k nearest; update `best` and `index` in place."""
    x, rough = queries.points, _Rough.of(queries, block)
    rows = (~(rough.products.amin(1) > rough.bound(best[:, -1])[:, 0])).nonzero()[:, 0]
    if len(rows) == 0:
        return
    rough = rough.take(rows)
    within = rough.within(best[rows, -1])
    k, n = min(best.shape[1], len(block.points)), len(block.points)
    if int(within.sum()) > 2 * k * len(rows):  # what seems nearest first: it rules out most others
        first = rough.products.topk(k, dim=1, largest=False).indices
        _measure(x, block, rows.repeat_interleave(k), first.flatten(), best, index)
        within = rough.within(best[rows, -1]).scatter_(1, first, False)
        crowded = (within.sum(1) > n // CROWDED).nonzero()[:, 0]
        if len(crowded) and rough.products.dtype != torch.float64:
            exact = block.exact()
            again = _Rough.of(exact.queries(x[rows[crowded]]), exact)
            within[crowded] &= again.within(best[rows[crowded], -1])
    kept, columns = within.nonzero(as_tuple=True)
    _measure(x, block, rows[kept], columns, best, index)


def _measure(x: Tensor, block: _Block, rows: Tensor, columns: Tensor, best: Tensor, index: Tensor) -> None:
    """Distances of pairs of a query and a point, rows ascending, from float64 differences; the nearest are kept."""
    if len(rows) == 0:
        return
    size = max(1, PAIRS // max(1, x.shape[1]))
    squares = []
    for some, others in zip(rows.split(size), columns.split(size), strict=True):
        difference = x.index_select(0, some).double()
        difference -= block.points.index_select(0, others).double()
        squares.append(difference.square_().sum(1))
    queries, counts = rows.unique_consecutive(return_counts=True)
    line = torch.arange(len(queries), device=x.device).repeat_interleave(counts)
    k = best.shape[1]
    slot = k + torch.arange(len(rows), device=x.device) - (counts.cumsum(0) - counts)[line]
    shape = (len(queries), k + int(counts.max()))
    squared, number = best.new_full(shape, torch.inf), index.new_full(shape, torch.iinfo(index.dtype).max)
    squared[:, :k], number[:, :k] = best[queries], index[queries]
    squared[line, slot], number[line, slot] = torch.cat(squares), columns + block.start
    order = number.argsort(dim=1)
    squared, number = squared.gather(1, order), number.gather(1, order)
    order = squared.argsort(dim=1, stable=True)
    squared, number = squared.gather(1, order), number.gather(1, order)
    best[queries], index[queries] = squared[:, :k], number[:, :k]


def _points(raw: Tensor, x: Tensor, features: Callable[[Tensor], Tensor] | None) -> Tensor:
    """The points of a block in the space of distances."""
    points = (raw.flatten(1) if features is None else features(raw)).detach()
    if points.device != x.device:
        raise OptionError(f"queries are on {x.device}, the features of the data on {points.device}")
    if points.dim() != 2 or points.shape[1] != x.shape[1]:
        raise ShapeError(f"queries have shape {tuple(x.shape)}, a block of the data {tuple(points.shape)}")
    return points


def _finite(points: Tensor, what: str, start: int = 0) -> None:
    if bool(torch.isfinite(points.sum())):  # a NaN or infinity makes the sum one, and finite sums are quick to see
        return
    bad = (~torch.isfinite(points).all(1)).nonzero()[:, 0]
    if len(bad):
        raise OptionError(
            f"{what} must be finite: {len(bad)} point(s) are not, the first is number {start + int(bad[0])}"
        )
