"""Which training point a sample looks like to the closed-form field."""

from __future__ import annotations

from typing import final

import attrs
import torch
from kinetic_fields import Empirical
from torch import Tensor

from kinetic import Column, Dataset, FeatureSpace, Score, options
from kinetic.types import PerSample, State
from kinetic_metrics.data_options import dataset, times
from kinetic_metrics.two_spaces import TwoSpaceMetric


@final
@attrs.frozen(eq=False)
class PosteriorSignals(TwoSpaceMetric):
    """The posterior over the training points at x_t = t x, on the straight line to the sample x without its noise.

    p(i | x_t) = softmax_i( -(t/(1 - t))^2 ||x - x_i||^2 / 2 ), that of `Empirical(train)` at x_t: the softmax of the
    squared distances of the sample, ever sharper as t rises. A metric does not see the noise a sample came from, so
    this is the path whose noise is 0, the mean of all.

    Columns: for each of `times` `top_weight_T` and `entropy_T`, the largest weight and the entropy in nats; and
    `collapse_time`, the first t = k/grid from which on the top weight is above 1/2, or 1 where it never is. The weight
    only rises along x_t = t x, so the first time comes by halving. A copy collapses early, when t/(1 - t) is about
    the inverse of the distance to other training points; a sample between several of them late.
    Values: the means. With `features` given all again with `_features`, for the closed-form field whose training points
    are the features of `train`. A model that moves in another space has no such posterior: there the columns only say
    how much nearer the features of the sample are to those of one training point than of the others, on the scale those
    features have.

    Args:
        train: the data the model was trained on, 2 points or more.
        times: when to look, in (0, 1).
        grid: collapse is looked for at k/grid, k = 1 ... grid - 1.
        features: a second space to look in.

    Source: the posterior of Bertrand et al., arXiv 2506.03719, proposition 1; collapse: Biroli et al., Dynamical
    regimes of diffusion models, arXiv 2402.18491.
    """

    train: Dataset = dataset("what the model was trained on", at_least=2, needed_for="telling apart")
    times: tuple[float, ...] = times((0.5, 0.8))
    grid: int = options.integer(1000, at_least=2, at_most=10**5, doc="collapse is looked for at multiples of 1/grid")
    features: FeatureSpace | None = options.component(FeatureSpace, None, doc="a second space to look in")

    @property
    def in_pixels(self) -> tuple[Column, ...]:
        first = "The first time at which one training point has more than half of the posterior; 1 where none has."
        columns = [Column("collapse_time", first, better="higher")]
        for t in self.times:
            columns += [
                Column(f"top_weight_{t:g}", f"Largest posterior weight of a training point at t = {t:g}.", main=False),
                Column(f"entropy_{t:g}", f"Entropy of the posterior at t = {t:g}.", unit="nats", main=False),
            ]
        return tuple(columns)

    def look(self, x: State, *data: Dataset) -> dict[str, Tensor]:
        field, x = Empirical(data[0]), x.double()
        columns = {"collapse_time": collapse_time(field, x, self.grid)}
        for time in self.times:
            posterior = field.posterior(x * time, x.new_full((len(x),), time))
            columns |= {f"top_weight_{time:g}": posterior.top_weight, f"entropy_{time:g}": posterior.entropy}
        return columns

    def conclude(self, columns: dict[str, Tensor]) -> Score:
        times = columns["collapse_time"]
        notes = [
            f"Closed-form posterior over {len(self.train)} training points at t x, without the noise of a sample; "
            f"{int((times == 1).sum())} of {len(times)} samples collapse on none of them before t = 1."
        ]
        if self.features is not None:
            notes.append(f"With `_features` in the names, of a flow of {type(self.features).__name__} features.")
        return Score(self.means(columns), columns=columns, notes=tuple(notes))


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
