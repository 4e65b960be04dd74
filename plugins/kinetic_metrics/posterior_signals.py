"""Which training point a sample looks like to the closed-form field."""

from __future__ import annotations

from typing import Any, final

import attrs
import torch
from kinetic_fields import Empirical
from torch import Tensor

from kinetic import (
    Dataset,
    FeatureSpace,
    Metric,
    Samples,
    SampleTable,
    Score,
    TensorData,
    as_dataset,
    device_of,
    options,
)
from kinetic.errors import OptionError, ShapeError
from kinetic.types import PerSample, State
from kinetic_metrics.feature_table import Found, embed_all, observed, tables, twice
from kinetic_metrics.sample_table import estimates, judged, listed

_ROWS = 500  # samples whose features are looked at at a time

Tables = tuple[SampleTable, SampleTable]
"""What was found of the samples, and their features, which are looked at in the end."""


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
    Values: the means. All with `_denoised` too, on the denoised samples (see `Samples`); with `features` given, again
    with `_features` and `_features_denoised`, for the closed-form field whose training points are the features of
    `train`. A model that moves in another space has no such posterior: there the columns only say how much nearer the
    features of the sample are to those of one training point than of the others, on the scale those features have.

    Args:
        train: the data the model was trained on, 2 points or more.
        times: when to look, in (0, 1).
        grid: collapse is looked for at k/grid, k = 1 ... grid - 1.
        features: a second space to look in.

    Source: the posterior of Bertrand et al., arXiv 2506.03719, proposition 1; collapse: Biroli et al., Dynamical
    regimes of diffusion models, arXiv 2402.18491.
    """

    train: Dataset = options.component(Dataset, converter=as_dataset, doc="what the model was trained on")
    times: tuple[float, ...] = attrs.field(
        default=(0.5, 0.8),
        converter=_times,
        metadata={options.BOUND: "a list of numbers > 0 and < 1, all different", options.DOC: "when to look"},
    )
    grid: int = options.integer(1000, at_least=2, doc="collapse is looked for at multiples of 1/grid")
    features: FeatureSpace | None = options.component(FeatureSpace, None, doc="a second space to look in")

    @times.validator
    def _inside(self, attribute: attrs.Attribute[tuple[float, ...]], value: Any) -> None:
        listed_times = isinstance(value, tuple) and all(isinstance(t, float) and 0 < t < 1 for t in value)
        if not listed_times or len(set(value)) < len(value):
            raise OptionError(f"'times' must be a list of numbers > 0 and < 1, all different: {value!r}")

    def __attrs_post_init__(self) -> None:
        if len(self.train) < 2:
            raise OptionError(f"'train' must hold 2 points or more, to tell apart: {len(self.train)}")

    def begin(self) -> Tables:
        return SampleTable(), SampleTable()

    def observe(self, state: Tables, samples: Samples) -> Tables:
        if samples.x.shape[1:] != self.train.event_shape:
            theirs = tuple(self.train.event_shape)
            raise ShapeError(f"samples have shape {tuple(samples.x.shape[1:])}, the points of 'train' {theirs}")
        found, features = state
        found = judged(found, samples, lambda x: self._look(Empirical(self.train), x))
        return found, features if self.features is None else observed(features, samples, self.features)

    def merge(self, a: Tables, b: Tables) -> Tables:
        return a[0].concat(b[0]), a[1].concat(b[1])

    def finish(self, state: Tables) -> Score:
        found, features = state
        ids, columns = listed(found)
        never = int((columns["collapse_time"] == 1).sum())
        notes = [
            f"Closed-form posterior over {len(self.train)} training points at t x, without the noise of a sample; "
            f"{never} of {len(ids)} samples collapse on none of them before t = 1."
        ]
        if self.features is not None:
            columns |= self._look_again(self.features, features)
            notes.append(f"With `_features` in the names, of a flow of {type(self.features).__name__} features.")
        return Score(estimates(columns), ids, columns, tuple(notes))

    def _look(self, field: Empirical, x: State) -> dict[str, Tensor]:
        x = x.double()
        columns = {"collapse_time": collapse_time(field, x, self.grid)}
        for time in self.times:
            posterior = field.posterior(x * time, x.new_full((len(x),), time))
            columns |= {f"top_weight_{time:g}": posterior.top_weight, f"entropy_{time:g}": posterior.entropy}
        return columns

    def _look_again(self, space: FeatureSpace, state: SampleTable) -> dict[str, Tensor]:
        train, place = embed_all(space, self.train), device_of(space) or torch.device("cpu")
        _, x, denoised = tables(state, 2, train)
        field = Empirical(TensorData(train.to(place)))

        def judge(points: Tensor) -> Found:
            parts = [self._look(field, block.to(place)) for block in points.split(_ROWS)]
            return {}, {f"{name}_features": torch.cat([part[name] for part in parts]).cpu() for name in parts[0]}

        return twice(x, denoised, judge)[1]


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
