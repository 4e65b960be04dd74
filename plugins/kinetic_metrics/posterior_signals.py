"""Which training point a sample looks like to the closed-form field."""

from __future__ import annotations

from typing import Any, final

import attrs
import torch
from kinetic_fields import Empirical
from torch import Tensor

from kinetic import Dataset, Metric, Observations, Samples, Score, as_dataset, options
from kinetic.errors import OptionError, ShapeError
from kinetic.types import PerSample, State
from kinetic_metrics.sample_table import estimates, judged, listed


def _times(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@final
@attrs.frozen(eq=False)
class PosteriorSignals(Metric):
    """The posterior over the training points at x_t = t x, on the straight line to the sample x without its noise.

    p(i | x_t) = softmax_i( -(t/(1 - t))^2 ||x - x_i||^2 / 2 ), that of `Empirical(train)` at x_t: the softmax of the
    squared distances of the sample, ever sharper as t rises. A metric does not see the noise a sample came from, so
    this is the path whose noise is 0, the mean of all.

    Columns: for each of `times` `top_weight_T` and `entropy_T`, the largest weight and the entropy in nats; and
    `collapse_time`, the first t = k/grid from which on the top weight is above 1/2, or 1 where it never is. The weight
    only rises along x_t = t x, so the first time is found by halving. A copy collapses early, when t/(1 - t) is about
    the inverse of the distance to other training points; a sample between several of them late.
    Values: the means. All with `_denoised` too, on the denoised samples (see `Samples`).

    Args:
        train: the data the model was trained on, 2 points or more.
        times: when to look, in (0, 1).
        grid: collapse is looked for at k/grid, k = 1 ... grid - 1.

    Source: the posterior of Bertrand et al., arXiv 2506.03719, proposition 1; collapse: Biroli et al., Dynamical
    regimes of diffusion models, arXiv 2402.18491.
    """

    train: Dataset = options.component("dataset", converter=as_dataset, doc="what the model was trained on")
    times: tuple[float, ...] = attrs.field(
        default=(0.5, 0.8),
        converter=_times,
        metadata={options.BOUND: "a list of numbers > 0 and < 1, all different", options.DOC: "when to look"},
    )
    grid: int = options.integer(1000, at_least=2, doc="collapse is looked for at multiples of 1/grid")

    @times.validator
    def _inside(self, attribute: attrs.Attribute[tuple[float, ...]], value: Any) -> None:
        listed_times = isinstance(value, tuple) and all(isinstance(t, float) and 0 < t < 1 for t in value)
        if not listed_times or len(set(value)) < len(value):
            raise OptionError(f"'times' must be a list of numbers > 0 and < 1, all different: {value!r}")

    def __attrs_post_init__(self) -> None:
        if len(self.train) < 2:
            raise OptionError(f"'train' must hold 2 points or more, to tell apart: {len(self.train)}")

    def begin(self) -> Observations:
        return Observations()

    def observe(self, state: Observations, samples: Samples) -> Observations:
        if samples.x.shape[1:] != self.train.event_shape:
            theirs = tuple(self.train.event_shape)
            raise ShapeError(f"samples have shape {tuple(samples.x.shape[1:])}, the points of 'train' {theirs}")
        return judged(state, samples, self._look)

    def merge(self, a: Observations, b: Observations) -> Observations:
        return a.joined(b)

    def finish(self, state: Observations) -> Score:
        ids, columns = listed(state)
        never = int((columns["collapse_time"] == 1).sum())
        note = (
            f"Closed-form posterior over {len(self.train)} training points at t x, without the noise of a sample; "
            f"{never} of {len(ids)} samples collapse on none of them before t = 1."
        )
        return Score(estimates(columns), ids, columns, (note,))

    def _look(self, x: State) -> dict[str, Tensor]:
        field, x = Empirical(self.train), x.double()
        columns = {"collapse_time": collapse_time(field, x, self.grid)}
        for time in self.times:
            posterior = field.posterior(x * time, x.new_full((len(x),), time))
            columns |= {f"top_weight_{time:g}": posterior.top_weight, f"entropy_{time:g}": posterior.entropy}
        return columns


def collapse_time(field: Empirical, x: State, grid: int) -> PerSample:
    """The first k/grid at which the top weight at x_t = t x is above 1/2, 1 where none is; float64 `(m,)`.

    It stays above: with b = (t/(1 - t))^2 and E_i = ||x - x_i||^2 / 2, d log w_top / db = <E> - E_top >= 0.

    Args:
        field: the closed-form field.
        x: float64 `(m, *event)`.
        grid: how fine.
    """
    low, high = torch.zeros(2, len(x), dtype=torch.int64, device=x.device)  # not at low/grid, but at high/grid
    high += grid
    for _ in range((grid - 1).bit_length()):
        middle = (low + high) // 2
        t = middle.clamp_max(grid - 1).double() / grid
        above = field.posterior(x * t.view(-1, *[1] * (x.dim() - 1)), t).top_weight > 0.5
        open_ = high - low > 1
        high, low = torch.where(open_ & above, middle, high), torch.where(open_ & ~above, middle, low)
    return high.double() / grid
