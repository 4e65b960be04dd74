"""One pass over the data: the softmax over all points and their mean, block by block."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import torch
from torch import Tensor

from kinetic.precision import full_precision
from kinetic.types import PerSample

_TINY = 36.0  # nats below the best at which a point is left out of the mean: e^-36 = 2e-16
_HIGH = 40.0  # nats a score may rise above the pivot before everything is rescaled
_GONE = 700.0  # nats: e^-700 is 0, and a number
_FLUSH = 8  # blocks whose sum is kept in the dtype of the pass before it is added up in float64
_SPREAD = 4.0  # sum of weights, in units of the largest, above which a query has too many points to track any
_FEW = 4  # queries up to which single columns of a block are worth leaving out


@attrs.frozen(eq=False)
class Pass:
    """What one pass gives, for queries z `(m, d)` with scores s_i = <z, x_i> - ||x_i||^2 / 2 and weights e^{a s_i}.

    Args:
        mean: float64 `(m, d)`, sum_i w_i x_i.
        total: float64 `(m,)`, sum_i e^{a (s_i - best)} >= 1.
        moment: float64 `(m,)`, sum_i e^{a (s_i - best)} a (s_i - best) <= 0; 0 without `detail`.
        best: `(m,)`, the highest score.
        index: int64 `(m, k)`, the points with the highest scores, best first; -1 where there is none.
        rest: `(m,)`, no point outside `index` has a higher score than this.
        second: `(m,)`, the second highest score.
    """

    mean: Tensor
    total: PerSample
    moment: PerSample
    best: PerSample
    index: Tensor
    rest: PerSample
    second: PerSample


def sweep(
    z: Tensor, a: PerSample, blocks: Iterable[tuple[Tensor, Tensor, Tensor]], keep: int, *, detail: bool = False
) -> Pass:
    """One pass over the data with an online softmax.

    Sums over a block are made in the dtype of z, and blocks added up in float64. Blocks, and with few queries single
    points, that weigh less than e^-36 of the best so far are left out of the mean. The `keep` best points are tracked
    only while few points matter (always, with `detail`): for a query with many, `rest` is as high as `best`.

    Args:
        z: `(m, d)`, the queries.
        a: `(m,)`, the factor of the scores, of the dtype of z.
        blocks: of the data: indices `(c,)`, points `(c, d)` of the dtype of z and ||x_i||^2 / 2 `(c,)`.
        keep: k, how many of the best points to track.
        detail: whether `Pass.moment` is wanted.
    """
    m, a = len(z), a[:, None]
    low = z.new_full((m, 1), -torch.inf)
    pivot, lead, rest = low, low, low.clone()  # lead: a (best score - pivot)
    values, index = low.repeat(1, keep), torch.full((m, keep), -1, dtype=torch.int64, device=z.device)
    total, moments = torch.zeros_like(low), torch.zeros_like(low)
    mean = torch.zeros_like(z, dtype=torch.float64)
    part, parts = torch.zeros_like(z), 0
    choosy = z.device.type == "cpu" and not detail
    with full_precision(z.device):
        for ids, points, half in blocks:
            scores = torch.addmm(half, z, points.T, beta=-1)
            top = scores.amax(1, keepdim=True)
            above = (top - pivot).mul_(a)
            if float(above.max()) > _HIGH:
                fall = torch.where(above > _HIGH, -above, 0.0).clamp_min_(-_GONE)
                shrink = fall.exp()
                moments = shrink * (moments + total * fall)
                total, mean, part = total * shrink, mean.mul_(shrink), part.mul_(shrink)
                pivot = torch.where(above > _HIGH, top, pivot)
                lead, above = torch.where(above > _HIGH, 0.0, lead), torch.where(above > _HIGH, 0.0, above)
            lead = torch.maximum(lead, above)
            if choosy and float((above - lead).max()) < -_TINY:
                rest = torch.maximum(rest, top)
                continue
            weights = (scores - pivot).mul_(a).exp_()
            total = total + weights.sum(1, keepdim=True)
            if detail:
                moments = moments + torch.xlogy(weights, weights).sum(1, keepdim=True)
            part, parts = _added(part, weights, points, choosy and m <= _FEW), parts + 1
            if parts == _FLUSH:
                mean += part
                part, parts = part.zero_(), 0
            spread = total * (-lead).exp_()
            if float(spread.min()) > _SPREAD and not detail:
                rest = torch.maximum(rest, top)
                continue
            wanted = ((spread <= _SPREAD) | detail) & (top > values[:, -1:])
            rest = torch.where(wanted, rest, torch.maximum(rest, top))
            _track(values, index, rest, wanted[:, 0].nonzero()[:, 0], scores, ids)
    mean += part
    lead, total = lead.double(), total.double()
    final = total * (-lead).exp()
    return Pass(
        mean=mean.div_(total),
        total=final[:, 0],
        moment=((-lead).exp() * moments - final * lead)[:, 0],
        best=(pivot.double() + lead / a.double())[:, 0],
        index=index,
        rest=rest.double()[:, 0],
        second=torch.maximum(values[:, 1:2] if keep > 1 else rest, rest).double()[:, 0],
    )


def _added(part: Tensor, weights: Tensor, points: Tensor, choosy: bool) -> Tensor:
    """part + weights @ points, over the points that weigh something."""
    if choosy:
        live = (weights > 1e-16).any(0).nonzero()[:, 0]
        if 4 * len(live) < len(points):
            return part.addmm_(weights[:, live], points[live])
    return part.addmm_(weights, points)


def _track(values: Tensor, index: Tensor, rest: Tensor, rows: Tensor, scores: Tensor, ids: Tensor) -> None:
    """Merge a block into the best points of some rows, and raise the bound on what is left out."""
    keep = values.shape[1]
    highest, where = scores[rows].topk(min(keep + 1, scores.shape[1]), dim=1)
    joined = torch.cat([values[rows], highest], 1)
    names = torch.cat([index[rows], ids[where]], 1)
    joined, order = joined.sort(dim=1, descending=True, stable=True)
    values[rows], index[rows] = joined[:, :keep], names.gather(1, order)[:, :keep]
    rest[rows] = torch.maximum(rest[rows], joined[:, keep : keep + 1])
