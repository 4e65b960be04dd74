"""The closed-form velocity field of a data set."""

from __future__ import annotations

import math
from typing import final

import attrs
import torch
from torch import Tensor

from kinetic import Batch, Dataset, VelocityField, as_dataset, options
from kinetic.errors import OptionError, ShapeError
from kinetic.types import PerSample, State

_BLOCK = 2**21  # elements of data at a time, 16 MiB of doubles


@attrs.frozen(eq=False)
class Posterior:
    """Which data point each sample is on its way to, p(i | x, t).

    Args:
        mean: float64 `(m, *event)`, the posterior mean of the data point.
        entropy: float64 `(m,)`, in nats; log N where all points are equally likely, 0 where one is certain.
        top_weight: float64 `(m,)`, the largest weight.
        nearest: int64 `(m,)`, the index of the point that has it.
    """

    mean: State
    entropy: PerSample
    top_weight: PerSample
    nearest: Tensor


@final
@attrs.frozen(eq=False)
class Empirical(VelocityField):
    """The exact minimiser of the flow-matching loss on a finite data set x_1 ... x_N.

    v(x, t) = sum_i w_i (x_i - x) / (1 - t),  w = softmax_i( -||x - t x_i||^2 / (2 (1-t)^2) ).

    It generates its training data: followed exactly to t = 1, every path ends on a data point. The weights are found
    in log space and in float64, streaming over blocks of the data, so memory beyond the data is a batch times a block.

    At t = 1 the field does not exist (0/0). There a sample keeps the velocity it last had, which is the limit along
    its own path: once one weight is 1 the velocity is constant. Without a batch to remember it in, t is held at
    1 - 1e-6. So the answer is finite for every t in [0, 1].

    Args:
        data: what to generate, a data set or a tensor `(N, *event)`.
        classes: use only the data of the sample's own class, as `batch.condition` names it.

    Source: Bertrand et al., On the Closed-Form of Flow Matching, arXiv 2506.03719, proposition 1.
    """

    data: Dataset = options.component("dataset", converter=as_dataset, doc="the data it generates")
    classes: bool = options.flag(default=False, doc="keep to the data of the class each sample is asked to be")

    def __attrs_post_init__(self) -> None:
        if self.classes and self.data.labels is None:
            raise OptionError("'classes' needs data with labels: this data set has none")

    @property
    def event_shape(self) -> torch.Size:
        return self.data.event_shape

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        ended = t >= 1
        before = t.double().clamp_max(1 - 1e-6)
        rest = (1 - before).view(-1, *[1] * (x.dim() - 1))
        v = ((self._stream(x, before, batch, whole=False)[0] - x) / rest).to(x.dtype)
        if batch is not None:
            last = batch.recall("empirical.velocity")
            if last is not None:
                v = torch.where(ended.view_as(rest), last, v)
            batch.remember("empirical.velocity", v)
        return v

    def posterior(self, x: State, t: PerSample, batch: Batch | None = None) -> Posterior:
        """The posterior over the data at x `(m, *event)`, t `(m,)` in [0, 1)."""
        mean, total, moment, nearest = self._stream(x, t, batch, whole=True)
        return Posterior(
            mean=mean,
            entropy=(total.log() - moment / total).clamp_min(0),
            top_weight=1 / total,
            nearest=nearest,
        )

    def _stream(
        self, x: State, t: PerSample, batch: Batch | None, whole: bool
    ) -> tuple[State, PerSample, PerSample, Tensor]:
        """The posterior mean, and with `whole` what else there is to say, in one pass over the data.

        With l_i the logits and best their maximum so far: total = sum exp(l_i - best) and
        moment = sum exp(l_i - best) (l_i - best), both rescaled whenever best rises.
        """
        if x.shape[1:] != self.event_shape:
            raise ShapeError(f"samples have shape {tuple(x.shape[1:])}, the data {tuple(self.event_shape)}")
        wanted = self._wanted(batch)
        x, t = x.flatten(1).double(), t.double()[:, None]
        # l_i = -||x - t x_i||^2 / (2 (1-t)^2) without ||x||^2, which all points share, as one product
        query = torch.cat([x * t, t.square()], 1) / (1 - t) ** 2
        best = x.new_full((len(x), 1), -math.inf)
        total, moment, mean = torch.zeros_like(best), torch.zeros_like(best), torch.zeros_like(x)
        nearest = torch.zeros_like(best, dtype=torch.int64)
        for start, block in self.data.blocks(max(1, _BLOCK // x.shape[1])):
            points = block.to(x.device).flatten(1).double()
            logits = query @ torch.cat([points, -0.5 * points.square().sum(1, keepdim=True)], 1).T
            if wanted is not None:
                labels = self.data.labels[start : start + len(block)].to(x.device)  # type: ignore[index]
                logits.masked_fill_(labels != wanted, -math.inf)
            top = logits.amax(1, keepdim=True)
            rise = torch.maximum(best, top)
            pivot = rise.masked_fill(rise == -math.inf, 0.0)  # no point of the class yet
            shrink = (best - pivot).exp()
            weights = logits.sub_(pivot).exp_()
            if whole:
                nearest = torch.where(top > best, start + weights.argmax(1, keepdim=True), nearest)
                fall = torch.where(total > 0, best - pivot, 0.0)
                moment = shrink * (moment + total * fall) + torch.xlogy(weights, weights).sum(1, keepdim=True)
            total = shrink * total + weights.sum(1, keepdim=True)
            mean = torch.addmm(shrink * mean, weights, points)
            best = rise
        return (mean / total).view(-1, *self.event_shape), total[:, 0], moment[:, 0], nearest[:, 0]

    def _wanted(self, batch: Batch | None) -> Tensor | None:
        if not self.classes:
            return None
        if batch is None or batch.condition is None:
            raise OptionError("'classes' needs a class for each sample: set `classes = N` under [run]")
        labels = self.data.labels
        assert labels is not None
        known = torch.isin(batch.condition, labels.to(batch.condition.device))
        if not bool(known.all()):
            missing = sorted(set(batch.condition[~known].tolist()))
            raise OptionError(f"no data of class {missing}: the classes are {sorted(set(labels.tolist()))}")
        return batch.condition[:, None]
