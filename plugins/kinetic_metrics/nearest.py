"""The nearest points of a data set, exactly."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from kinetic import Dataset

_BLOCK = 2**21  # elements of data at a time
_SPARE = 4  # candidates beyond k that the exact distances choose from


def nearest(
    x: Tensor, data: Dataset, k: int, features: Callable[[Tensor], Tensor] | None = None
) -> tuple[Tensor, Tensor]:
    """The k nearest points of the data to each of x, in L2, streaming over blocks of the data.

    Candidates are found with ||a - b||^2 = ||a||^2 - 2 <a, b> + ||b||^2 in float64; their distances are then computed
    from the differences, so that near-duplicates are told apart. Ties go to the lower index.

    Args:
        x: `(m, f)` queries, already in the space of distances.
        data: the points; `features` maps a block of them to that space, `flatten` where None.
        k: how many, at most the size of the data.
    Returns:
        distances float64 `(m, k)`, ascending, and indices int64 `(m, k)`.
    """
    x = x.double()
    keep = min(k + _SPARE, len(data))
    best = x.new_full((len(x), 0), torch.inf)
    index = torch.zeros(len(x), 0, dtype=torch.int64, device=x.device)
    for start, block in data.blocks(max(1, _BLOCK // max(1, data.event_shape.numel()))):
        points = block.to(x.device)
        points = (points.flatten(1) if features is None else features(points)).double()
        rough = torch.addmm(points.square().sum(1), x, points.T, alpha=-2)
        _, candidates = rough.topk(min(keep, len(points)), dim=1, largest=False)
        exact = torch.stack([(x - points[column]).square().sum(1) for column in candidates.T], 1)
        best, index = torch.cat([best, exact], 1), torch.cat([index, candidates + start], 1)
        order = torch.argsort(index, dim=1)
        best, index = best.gather(1, order), index.gather(1, order)
        order = torch.argsort(best, dim=1, stable=True)[:, :keep]
        best, index = best.gather(1, order), index.gather(1, order)
    return best[:, :k].sqrt(), index[:, :k]
