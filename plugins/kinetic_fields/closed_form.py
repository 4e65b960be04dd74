"""The posterior mean of a data set: a pass over the data, or a look at a few candidates where those are enough."""

from __future__ import annotations

import math
from typing import Any

import attrs
import torch
from torch import Tensor

from kinetic.precision import full_precision
from kinetic.types import PerSample
from kinetic_fields.candidates import KEEP, Anchor, Candidates, weigh
from kinetic_fields.points import Points
from kinetic_fields.streaming import sweep

_SMALL = 1e-12  # what all the points left out may weigh together
_PROMISING = 0.6  # share of the nats a certificate needs from which candidates are worth a look next time
_DOUBTFUL = 1e-3  # nats of rounding from which a spread posterior is computed again in float64
_LITTLE, _NARROW, _SCORES = (
    2**25,
    256,
    2**22,
)  # multiplications, width, scores up to which candidates cost more than they save


def pass_over(
    points: Points, z: Tensor, a: PerSample, label: int | None, dtype: torch.dtype
) -> tuple[Tensor, list[Candidates]]:
    """The posterior means at z by a pass over the data in `dtype`, and candidates worth a look at the next call.

    Where all points but a few candidates weigh less than 1e-12 together, the mean is that of the candidates, from their
    differences to z. Else, where the logits are rounded by more than 0.001 nats, the pass is made in float64. Little
    work that needs neither is one plain softmax.

    Args:
        points: the data.
        z: float64 `(m, d)`, x/t.
        a: float64 `(m,)`, t^2/(1-t)^2; the weights are softmax_i(-a |z - x_i|^2 / 2).
        label: the class whose points count, or None for all.
        dtype: of the pass.
    Returns:
        the means, float64 `(m, d)`, and what an `Anchor` may keep.
    """
    query, enough = z.to(dtype), nats(points)
    if _is_little(len(z), z.shape[1], len(points.data)):
        longest, largest = float(torch.linalg.vector_norm(query, dim=1).max()), float(a.max())
        if largest * _rounding(longest, points.largest, dtype) <= _DOUBTFUL:
            return _plainly(points, query, a.to(dtype), label), []
    size = query.double().norm(dim=1)
    noise, slack = _rounding(size, points.largest, dtype), _rounding(size, points.largest, dtype, z.shape[1])
    swept = sweep(query, a.to(dtype), points.blocks(dtype, z.device, label), KEEP)
    best, second, rest = swept.best.double() - slack, swept.second.double() + slack, swept.rest.double() + slack
    alone, sure = a * (best - second) >= enough, a * (best - rest) >= enough
    doubtful = ~sure & (a * noise > _DOUBTFUL) & (dtype != torch.float64)
    mean, kept = swept.mean, []
    for chosen, keep, outside in ((alone, 1, second), (~alone & ~doubtful, KEEP, rest)):
        some = (chosen & (a * (best - outside) >= _PROMISING * enough)).nonzero()[:, 0]
        if len(some):
            index, z0 = swept.index[some, :keep], query[some].double()
            weighed = weigh(z[some], a[some], index, points.data).mean
            mean[some] = torch.where(sure[some, None], weighed, mean[some])
            gap = z0.square().sum(1) - 2 * outside[some] - (z0 - weighed).square().sum(1)
            kept.append(Candidates(some, index, z0, weighed, gap))
    again = doubtful.nonzero()[:, 0]
    if len(again):
        mean[again], more = pass_over(points, z[again], a[again], label, torch.float64)
        kept += [attrs.evolve(part, rows=again[part.rows]) for part in more]
    return mean, kept


def _is_little(m: int, d: int, n: int) -> bool:
    return m * n * d <= _LITTLE or (d <= _NARROW and m * n <= _SCORES)


def _plainly(points: Points, query: Tensor, a: PerSample, label: int | None) -> Tensor:
    with full_precision(query.device):
        parts = list(points.blocks(query.dtype, query.device, label))
        x, half = parts[0][1:] if len(parts) == 1 else (torch.cat([part[i] for part in parts]) for i in (1, 2))
        scores = torch.addmm(half, query, x.T, beta=-1).mul_(a[:, None])
        return (torch.softmax(scores, 1) @ x).double()


def look_at_candidates(
    points: Points, z: Tensor, a: PerSample, anchor: Anchor
) -> tuple[Tensor, Tensor, list[Candidates]]:
    """The posterior means `(m, d)` by the candidates alone, and for which samples they are enough.

    A sample whose other candidates have become as negligible as the rest gets new candidates: the one that is left.
    """
    mean, sure, kept = torch.empty_like(z), torch.zeros_like(a, dtype=torch.bool), []
    enough = 2 * nats(points)
    single = anchor.index[:, 1] < 0
    for chosen, keep in ((single & (anchor.index[:, 0] >= 0), 1), (~single, KEEP)):
        rows = chosen.nonzero()[:, 0]
        if len(rows) == 0:
            continue
        some = slice(None) if len(rows) == len(z) else rows
        here, factor, index = z[some], a[some], anchor.index[some, :keep]
        weighed = weigh(here, factor, index, points.data)
        nearest, which = weighed.squares.min(1)
        apart = anchor.bound(some, here, nearest)
        mean[some] = weighed.mean
        sure[some] = factor * apart >= enough
        if keep > 1:
            others = weighed.squares.scatter(1, which[:, None], torch.inf).amin(1) - nearest
            apart = torch.minimum(apart, others)
            left = (factor * apart >= enough).nonzero()[:, 0]
            if len(left):
                best = index.gather(1, which[:, None])[left]
                y = weigh(here[left], factor[left], best, points.data).mean
                kept.append(Candidates(rows[left], best, here[left], y, apart[left]))
    return mean, sure, kept


def nats(points: Points) -> float:
    """How far below the best the logits of all N points must lie so that together they weigh less than 1e-12."""
    return math.log(max(2, len(points.data)) / _SMALL)


def _rounding(length: Any, largest: float, dtype: torch.dtype, width: int = 0) -> Any:
    """What rounding may do to <z, x_i> - |x_i|^2 / 2 in a product of `dtype`, for z of this length.

    c eps (|z| max|x_i| + max|x_i|^2 / 2). Products are summed in blocks. For ordinary data errors cancel and c = 8 is
    generous; where all elements are alike they add up, and a matrix-vector product reached c = d/60. With the width d
    given, c = 16 + d/50 covers that too, for certificates.
    """
    return (16 + width / 50 if width else 8) * torch.finfo(dtype).eps * (length * largest + 0.5 * largest**2)
