"""Which data points samples are heading to, by where one more step would take them."""

from __future__ import annotations

import attrs
import torch
from torch import Tensor

from kinetic.errors import ShapeError
from kinetic.precision import full_precision
from kinetic.types import PerSample, State
from kinetic_fields.points import Points


@attrs.frozen(eq=False)
class Heading:
    """Where samples are heading.

    Args:
        estimate: `(m, *event)`, x + (1 - t) v, where one step would take them.
        nearest: `(m, *event)`, the data point nearest to that.
        ratio: `(m,)`, d1/d2, its distances to the nearest and the second nearest data point; 0 where d2 is.
    """

    estimate: State
    nearest: State
    ratio: PerSample


def heading(points: Points, x: State, t: PerSample, v: State) -> Heading:
    """Where samples at x `(m, *event)`, t `(m,)` with velocities v are heading among two data points or more.

    Raises:
        ShapeError: samples and data points have different shapes.
    """
    if x.shape[1:] != points.data.event_shape:
        raise ShapeError(f"samples have shape {tuple(x.shape[1:])}, the data {tuple(points.data.event_shape)}")
    dtype = torch.float64 if x.dtype == torch.float64 else torch.float32
    estimate = (x.to(dtype) + wide(1 - t.to(dtype), x) * v.to(dtype)).flatten(1)
    index = _two_nearest(points, estimate)
    both = torch.stack([points.data.take(column).to(estimate).flatten(1) for column in index.T])
    d1, d2 = (both - estimate).norm(dim=2).sort(0).values
    ratio = torch.where(d2 > 0, d1 / d2, torch.zeros_like(d1))
    near = (both - estimate).square().sum(2).argmin(0)
    nearest = both.gather(0, near[None, :, None].expand(1, *estimate.shape))[0]
    return Heading(estimate.view(x.shape), nearest.view(x.shape), ratio)


def wide(per_sample: PerSample, x: State) -> Tensor:
    """A number for each sample, `(m, 1, ...)`, to multiply x by."""
    return per_sample.view(-1, *[1] * (x.dim() - 1))


def ramp(value: PerSample, start: float, end: float) -> PerSample:
    """0 up to `start`, 1 from `end` on, and a straight line between; `start` may be the larger."""
    return ((value - start) / (end - start)).clamp(0, 1)


def _two_nearest(points: Points, query: Tensor) -> Tensor:
    """The indices `(m, 2)` of the two nearest points, by one pass over the data."""
    best, index = query.new_full((len(query), 2), torch.inf), query.new_zeros((len(query), 2), dtype=torch.int64)
    with full_precision(query.device):
        for ids, block, half in points.blocks(query.dtype, query.device):
            scores = torch.addmm(half, query, block.T, alpha=-1)
            low, where = scores.topk(min(2, scores.shape[1]), dim=1, largest=False)
            best, order = torch.cat([best, low], 1).topk(2, dim=1, largest=False)
            index = torch.cat([index, ids[where]], 1).gather(1, order)
    return index
