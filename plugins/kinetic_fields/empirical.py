"""The closed-form velocity field of a data set."""

from __future__ import annotations

import math
from functools import cached_property
from typing import final

import attrs
import torch
from torch import Tensor

from kinetic import Batch, Dataset, VelocityField, as_dataset, options
from kinetic.errors import OptionError, ShapeError
from kinetic.types import PerSample, State
from kinetic_fields.candidates import Anchor, Candidates
from kinetic_fields.closed_form import look_at_candidates, pass_over
from kinetic_fields.points import Points
from kinetic_fields.streaming import sweep


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

    It generates its training data: followed exactly to t = 1, every path ends on a data point.

    A velocity is one pass over the data in the dtype of x, block by block, added up in float64, whatever the process
    allows of TF32. Where all but 16 points together weigh less than 1e-12, these are weighed by their differences to x,
    in float64, so that near-duplicates stay apart. Given a batch to remember them in, later calls look at those
    points alone for as long as no other can matter, which a bound on the distances certifies: once a sample is on its
    way to one point, the data are not read again. A posterior too spread for that, where float32 is too coarse for its
    logits, is computed again in float64.

    At t = 1 the field does not exist (0/0). There a sample keeps the velocity it last had, which is the limit along
    its own path: once one weight is 1 the velocity is constant. Without a batch to remember it in, t is held at
    1 - 1e-6. So the answer is finite for every t in [0, 1].

    Args:
        data: what to generate, a data set or a tensor `(N, *event)`; it may stay in a file (`tensor-file`, `mapped`).
        classes: use only the data of the sample's own class, as `batch.condition` names it.

    Source: Bertrand et al., On the Closed-Form of Flow Matching, arXiv 2506.03719, proposition 1.
    """

    data: Dataset = options.component(Dataset, converter=as_dataset, doc="the data it generates")
    classes: bool = options.flag(default=False, doc="keep to the data of the class each sample is asked to be")

    def __attrs_post_init__(self) -> None:
        if self.classes and self.data.labels is None:
            raise OptionError("'classes' needs data with labels: this data set has none")

    @property
    def event_shape(self) -> torch.Size:
        return self.data.event_shape

    @cached_property
    def _points(self) -> Points:
        return Points(self.data)

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        before = t.double().clamp_max(1 - 1e-6)
        z, a = self._query(x, before)
        if len(x) == 0:
            return torch.empty_like(x)
        mean = self._mean(z, a, torch.float64 if x.dtype == torch.float64 else torch.float32, batch)
        v = mean.sub_(x.flatten(1)).div_((1 - before)[:, None]).to(x.dtype).view_as(x)
        if batch is not None:
            last, seen = batch.recall(self._memo("velocity")), batch.recall(self._memo("seen"))
            if last is not None and seen is not None and float(t.max()) >= 1:
                v = torch.where(((t >= 1) & seen).view(-1, *[1] * (x.dim() - 1)), last, v)
            batch.remember(self._memo("velocity"), v)
            batch.remember(self._memo("seen"), torch.ones_like(t, dtype=torch.bool))
        return v

    def posterior(self, x: State, t: PerSample, batch: Batch | None = None) -> Posterior:
        """The posterior over the data at x `(m, *event)`, t `(m,)` in [0, 1), in float64."""
        z, a = self._query(x, t.double())
        if bool((t >= 1).any()):
            raise OptionError(f"'t' must be below 1, where the posterior is 0/0: {float(t.max()):g}")
        mean, total, moment, nearest = torch.empty_like(z), torch.empty_like(a), torch.empty_like(a), a.long()
        for label, rows in self._groups(batch, torch.arange(len(z), device=z.device)):
            blocks = self._points.blocks(torch.float64, z.device, label)
            swept = sweep(z[rows], a[rows], blocks, keep=1, detail=True)
            mean[rows], total[rows], moment[rows] = swept.mean, swept.total, swept.moment
            nearest[rows] = swept.index[:, 0]
        return Posterior(
            mean=mean.view(-1, *self.event_shape),
            entropy=(total.log() - moment / total).clamp_min(0),
            top_weight=1 / total,
            nearest=nearest,
        )

    def _query(self, x: State, t: PerSample) -> tuple[Tensor, PerSample]:
        """z = x/t, float64 `(m, d)`, and a = t^2/(1-t)^2: the weights are softmax_i(-a |z - x_i|^2 / 2)."""
        if x.shape[1:] != self.event_shape:
            raise ShapeError(f"samples have shape {tuple(x.shape[1:])}, the data {tuple(self.event_shape)}")
        if not x.is_floating_point() or t.shape != x.shape[:1]:
            raise ShapeError(f"{len(x)} samples of {x.dtype} need floating-point x and t ({len(x)},): {tuple(t.shape)}")
        t = t.clamp_min(1e-12)
        return x.flatten(1).double().div(t[:, None]), (1 / t - 1).pow(-2)

    def _mean(self, z: Tensor, a: PerSample, dtype: torch.dtype, batch: Batch | None) -> Tensor:
        """The posterior mean, float64 `(m, d)`: by candidates where they are enough, else by a pass over the data."""
        lost = None
        if not math.isfinite(float(z.sum())):  # a row that is not finite answers for itself alone
            lost = ~z.isfinite().all(1)[:, None]
            z = z.masked_fill(lost, 0.0)
        anchor = self._recalled(batch)
        if anchor is None:
            mean, sure, candidates = z, None, list[Candidates]()
        else:
            mean, sure, candidates = look_at_candidates(self._points, z, a, anchor)
        rest = torch.arange(len(z), device=z.device) if sure is None else (~sure).nonzero()[:, 0]
        for label, rows in self._groups(batch, rest):
            if len(rows) == len(z):
                mean, more = pass_over(self._points, z, a, label, dtype)
            else:
                mean = mean.clone() if mean is z else mean
                mean[rows], more = pass_over(self._points, z[rows], a[rows], label, dtype)
            candidates += [attrs.evolve(part, rows=rows[part.rows]) for part in more]
        if batch is not None and (candidates or (anchor is not None and len(rest))):
            after = (Anchor.nowhere(z) if anchor is None else anchor).updated(rest, candidates)
            for name in ("index", "frame", "gap"):
                batch.remember(self._memo(name), getattr(after, name))
            if self.classes and batch.condition is not None:
                batch.remember(self._memo("class"), batch.condition)
        return mean if lost is None else mean.masked_fill(lost, torch.nan)

    def _recalled(self, batch: Batch | None) -> Anchor | None:
        if batch is None:
            return None
        index, frame, gap = (batch.recall(self._memo(name)) for name in ("index", "frame", "gap"))
        if index is None or frame is None or gap is None:
            return None
        theirs = batch.recall(self._memo("class"))
        if theirs is not None:  # candidates of another class are none
            if batch.condition is None:
                return None
            index = index.masked_fill((theirs != batch.condition)[:, None], -1)
        return Anchor(index, frame, gap)

    def _memo(self, name: str) -> str:
        """What the batch calls it; two closed-form fields may share a batch."""
        return f"empirical.{id(self):x}.{name}"

    def _groups(self, batch: Batch | None, rows: Tensor) -> list[tuple[int | None, Tensor]]:
        """Those rows that share their data, each group with its class, or all of them with None."""
        if not self.classes:
            return [(None, rows)] if len(rows) else []
        if batch is None or batch.condition is None:
            raise OptionError(
                "'classes' needs a class for each sample: set `classes = N` under [run], or `prompts = FILE`"
            )
        known, theirs = self._points.by_class, batch.condition[rows]
        wanted = theirs.unique().tolist()
        missing = [label for label in wanted if label not in known]
        if missing:
            raise OptionError(f"no data of class {missing}: the classes are {sorted(known)}")
        return [(label, rows[theirs == label]) for label in wanted]
