"""Whether the speed of the closed-form field tells the density of where it is."""

from __future__ import annotations

import itertools
import math
from typing import final

import attrs
import numpy as np
import torch
from kinetic_fields import Empirical
from numpy.typing import NDArray
from torch import Tensor

from kinetic import Column, Dataset, Estimate, Samples, Score, TableMetric, evidence, options
from kinetic.types import PerSample, State
from kinetic_metrics.data_options import check_shapes, dataset, times
from kinetic_metrics.jackknife import LEAST
from kinetic_metrics.random_vectors import generators

Array = NDArray[np.float64]

_STREAM = 2  # of the generator of each sample: 0 is the noise of the runs, 1 that of the probes
_FEWEST = 3  # points of a line that says something


@final
@attrs.frozen(eq=False)
class EnergyDensity(TableMetric):
    """The line of ||v||^2 on -log p_t, v the closed-form velocity of `train` and p_t the density of its bridge.

    A sample x is looked at on the way to it: at x_t = (1 - t) e + t x with e ~ N(0, I), drawn for it by (seed, sample
    id) alone and not the noise it was made from. Where samples are draws from `train`, as those of the closed-form
    field are, x_t is a draw from p_t = 1/N sum_i N(t x_i, (1 - t)^2 I), as the point at t of a path of that field is.

    With i the training point of the largest posterior weight w_i and e_i = (x_t - t x_i) / (1 - t), exactly

        -log p_t(x_t) = ||e_i||^2 / 2 + log w_i + log N + d/2 log 2 pi + d log(1 - t)

    and where w_i is about 1, v = x_i - e_i, so ||v||^2 = ||e_i||^2 - 2 <e_i, x_i> + ||x_i||^2. For e_i ~ N(0, I),
    independent of x_i, the last two terms do not go with ||e_i||^2: the slope is 2 whatever the data, and

        R^2 = 2 d / (2 d + 4 E ||x_i||^2 + Var ||x_i||^2).

    So R^2 says how far the speed tells the density. Which samples have a w_i of `weight` or more depends on e_i where
    not all have it, and the slope need not be 2 there. Off the data e_i = e + t (x - x_i) / (1 - t), so v grows as
    1/(1 - t); on them it stays as it is.

    Values, for each of `times`: `dominated_T`, the share of samples with w_i >= `weight`; `slope_T` and `r2_T` of the
    least-squares line through these, with intervals of the jackknife over 20 groups of sample ids, for 60 of them or
    more. NaN for fewer than 3. With 2 times or more `growth`, the mean over all samples of log ||v_b||/||v_a|| over
    log (1 - a)/(1 - b) at the last two times a < b: 1 where v grows as 1/(1 - t), 0 where it does not.
    Columns: `speed_sq_T`, `surprise_T` (-log p_t), `dominated_T`, `growth`.

    Args:
        train: the data whose closed-form field it is, 2 points or more.
        times: when to look, in (0, 1).
        weight: the posterior weight from which on one point dominates.
        seed: of the noise.

    Source: "A Kinetic Energy Perspective of Flow Matching", arXiv 2602.07928: speed and density under posterior
    dominance; the equations here are derived.
    """

    train: Dataset = dataset("the data whose closed-form field it is", at_least=2, needed_for="telling apart")
    times: tuple[float, ...] = times((0.5, 0.7, 0.9, 0.99))
    weight: float = options.number(0.99, above=0.5, below=1, doc="posterior weight from which on one point dominates")
    seed: int = options.integer(0, at_least=0, at_most=2**64 - 1, doc="of the noise")

    @property
    def described(self) -> tuple[Column, ...]:
        return tuple(itertools.chain(_OF_ALL, *(_columns_at(t) for t in self.times)))

    def rows(self, samples: Samples) -> dict[str, Tensor]:
        check_shapes(self, samples)
        field, x, rows = Empirical(self.train), samples.x.double(), dict[str, Tensor]()
        noise = [g.standard_normal(tuple(x.shape[1:])) for g in generators(self.seed, samples.ids, _STREAM)]
        e = torch.from_numpy(np.stack(noise)).to(x.device) if noise else x
        for t in self.times:
            speed_sq, surprise, top = speed_and_surprise(field, (1 - t) * e + t * x, t)
            rows |= {f"speed_sq_{t:g}": speed_sq, f"surprise_{t:g}": surprise}
            rows[f"dominated_{t:g}"] = top >= self.weight
        if len(self.times) > 1:
            a, b = sorted(self.times)[-2:]
            ratio = rows[f"speed_sq_{b:g}"] / rows[f"speed_sq_{a:g}"]
            rows["growth"] = ratio.log() / (2 * math.log((1 - a) / (1 - b)))
        return rows

    def judge(self, ids: Tensor, rows: dict[str, Tensor]) -> Score:
        groups = evidence.groups(ids.numpy())
        means = self.means({name: row for name, row in rows.items() if name.startswith(("dominated", "growth"))})
        values, notes = dict[str, Estimate](), list[str]()
        for t in self.times:
            kept = rows[f"dominated_{t:g}"].numpy()
            x, y = (rows[f"{name}_{t:g}"].numpy()[kept] for name in ("surprise", "speed_sq"))
            values[f"slope_{t:g}"], values[f"r2_{t:g}"] = line(x, y, groups[kept])
            if len(x) < LEAST:
                notes.append(f"At t = {t:g} one training point dominates in {len(x)} samples, below {LEAST}.")
        d = self.train.event_shape.numel()
        first = f"Closed-form field of {len(self.train)} training points in {d} dimensions, noise of seed {self.seed}."
        return Score(values | means, ids, rows, (first, *notes))


_OF_ALL = (
    Column("growth", "Power of 1/(1 - t) that the closed-form velocity grows by at the last two times.", main=False),
)


def _columns_at(t: float) -> tuple[Column, ...]:
    at = f"at t = {t:g}"
    return (
        Column(f"slope_{t:g}", f"Slope of the line of ||v||^2 on -log p_t {at}, where one point dominates."),
        Column(f"r2_{t:g}", f"Share of the variance of ||v||^2 that this line explains {at}."),
        Column(f"dominated_{t:g}", f"Whether one training point dominates the posterior {at}.", "label", main=False),
        Column(f"speed_sq_{t:g}", f"||v||^2 of the closed-form field {at}.", unit="squared data units", main=False),
        Column(f"surprise_{t:g}", f"-log p_t of the bridge of the training data {at}.", unit="nats", main=False),
    )


def speed_and_surprise(field: Empirical, x: State, t: float) -> tuple[PerSample, PerSample, PerSample]:
    """||v(x, t)||^2, -log p_t(x) and the top weight of points `(m, *event)` at one time, each float64 `(m,)`."""
    posterior = field.posterior(x, x.new_full((len(x),), t))
    nearest = field.data.take(posterior.nearest.cpu()).to(x.device, torch.float64)
    own = ((x - t * nearest) / (1 - t)).flatten(1).square().sum(1)
    d = x[0].numel() if len(x) else 0
    constant = math.log(len(field.data)) + d * (0.5 * math.log(2 * math.pi) + math.log(1 - t))
    speed_sq = ((posterior.mean - x) / (1 - t)).flatten(1).square().sum(1)
    return speed_sq, own / 2 + posterior.top_weight.log() + constant, posterior.top_weight


def line(x: Array, y: Array, groups: NDArray[np.int64]) -> tuple[Estimate, Estimate]:
    """The slope of the least-squares line of y on x, `(n,)` each, and its R^2, with intervals of the jackknife.

    NaN for fewer than 3 points, or where x does not vary; no interval for fewer than 60 points.
    """
    slope, r2 = _slope_and_r2(x, y)
    if len(x) < LEAST or not math.isfinite(slope):
        return Estimate(slope), Estimate(r2)
    without = np.array([_slope_and_r2(x[groups != g], y[groups != g]) for g in range(evidence.GROUPS)])
    if not np.isfinite(without).all():
        return Estimate(slope), Estimate(r2)
    of_slope, of_r2 = evidence.jackknife(slope, without[:, 0]), evidence.jackknife(r2, without[:, 1])
    low, high = (None if end is None else min(max(end, 0.0), 1.0) for end in (of_r2.low, of_r2.high))
    return of_slope, attrs.evolve(of_r2, low=low, high=high)


def _slope_and_r2(x: Array, y: Array) -> tuple[float, float]:
    if len(x) < _FEWEST or np.ptp(x) == 0:
        return math.nan, math.nan
    x, y = x - x.mean(), y - y.mean()
    slope, left = float(x @ y / (x @ x)), float(y @ y)
    return slope, slope * float(x @ y) / left if left > 0 else math.nan
