"""First checks of a component, one for each role: what the Runner and the other roles rely on.

    from kinetic.testing import check_solver

    def test_leapfrog_keeps_the_contract():
        check_solver(Leapfrog(steps=8))

Each raises `AssertionError` with one sentence. They need no pytest and run in float64 on the CPU, but where noted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import torch
from torch import Tensor

from kinetic._roles.batch import Batch
from kinetic._roles.component import Component
from kinetic._roles.dataset import Dataset
from kinetic._roles.features import FeatureSpace
from kinetic._roles.field import VelocityField
from kinetic._roles.grid import TimeGrid
from kinetic._roles.meter import EnergyMeter
from kinetic._roles.metric import Metric, Samples, Score
from kinetic._roles.schedule import Schedule
from kinetic._roles.solver import Solver, Stage, Step
from kinetic._sample.integrate import Trajectory
from kinetic.errors import OptionError
from kinetic.types import ALL, Rows, is_all

_N = 6


def check_solver(solver: Solver) -> None:
    """Steps to 1 (or `t_end`) without gaps, stages asked for, weights of sum 1, x1 = x0 + dt sum w v, rows apart."""
    _check_component(solver, Solver)
    x0 = _normal(_N, 3)
    kept = x0.clone()
    final, clock, end = _follow(solver, lambda x, t, rows: -x * (1 + t[:, None]), x0)
    _say(torch.equal(x0, kept), solver, "writes to x0")
    _say(_close(clock, end, 1e-12), solver, f"does not end at t = {end.tolist()} but at {clock.tolist()}")
    alone, _, _ = _follow(solver, lambda x, t, rows: -x * (1 + t[:, None]), x0[2:3])
    _say(_close(final[2:3], alone, 1e-12), solver, "moves a sample differently alone and in a batch")
    drift = _normal(1, 3)
    ends, _, _ = _follow(solver, lambda x, t, rows: drift.expand_as(x), x0)
    _say(_close(ends, x0 + end[:, None] * drift, 1e-12), solver, "does not integrate a constant velocity exactly")
    energy = torch.zeros(_N, dtype=torch.float64)
    for step in solver.solve(lambda x, t, rows: drift.expand_as(x), x0):
        energy[step.rows] += step.energy
    _say(_close(energy, 0.5 * end * drift.square().sum(), 1e-12), solver, "does not weigh a straight path exactly")


def check_field(field: VelocityField, condition: Tensor | None = None, tolerance: float = 1e-5) -> None:
    """Finite velocities of the right shape for every t in [0, 1], each from its own row alone (to `tolerance`).

    Args:
        field: the field.
        condition: `(6, ...)`, for a field that cannot do without one.
        tolerance: relative; nets in float32 need some.
    """
    _check_component(field, VelocityField)
    for dtype in (torch.float32, torch.float64):
        x = _normal(_N, *field.event_shape).to(dtype)
        batch = Batch(torch.arange(_N), condition)
        for time in (0.0, 0.3, 0.999, 1.0):
            t = torch.full((_N,), time, dtype=dtype)
            v = field.velocity(x, t, batch)
            _say(v.shape == x.shape, field, f"answers {tuple(x.shape)} with {tuple(v.shape)}")
            _say(v.dtype == dtype, field, f"answers {dtype} with {v.dtype}")
            _say(bool(v.isfinite().all()), field, f"is not finite at t = {time}: a field guards its own singularities")
        t = torch.linspace(0, 0.9, _N, dtype=dtype)
        together = field.velocity(x, t, Batch(torch.arange(_N), condition))
        rows = torch.tensor([3])
        alone = field.velocity(x[rows], t[rows], Batch(torch.arange(_N), condition).take(rows))
        _say(_close(together[rows], alone, tolerance), field, "moves a sample differently alone and in a batch")


def check_grid(grid: TimeGrid, steps: Sequence[int] = (1, 2, 7, 50)) -> None:
    """Floats from exactly 0 to exactly 1, each larger than the one before, one more than steps, the same each time.

    Args:
        grid: the grid.
        steps: numbers of steps to ask for. Those it refuses with an `OptionError` are passed over, but not all of them.
    """
    _check_component(grid, TimeGrid)
    asked = 0
    for n in steps:
        try:
            times = grid.times(n)
        except OptionError:
            continue
        asked += 1
        _say(
            isinstance(times, list) and all(type(t) is float for t in times),
            grid,
            f"gives no list of floats: {times!r}",
        )
        try:
            grid.checked(n)
        except OptionError as error:
            raise AssertionError(str(error)) from error
        _say(grid.times(n) == times, grid, f"gives other times for {n} steps when asked again")
    _say(asked > 0, grid, f"refuses every number of steps: {list(steps)}")


def check_schedule(schedule: Schedule) -> None:
    """Gains that are finite, not negative, `(m,)`, each from its own row; breakpoints inside (0, 1)."""
    _check_component(schedule, Schedule)
    points = schedule.breakpoints
    inside = isinstance(points, tuple) and all(0 < p < 1 for p in points)
    _say(inside, schedule, f"has breakpoints {points!r}: they are a tuple of times in (0, 1)")
    x, v, t = _normal(21, 3), _normal(21, 3, seed=1), torch.linspace(0, 1, 21, dtype=torch.float64)
    gain = schedule.gain(t, x, v)
    _say(gain.shape == t.shape, schedule, f"answers {len(t)} samples with a gain of shape {tuple(gain.shape)}")
    _say(bool(gain.isfinite().all()) and bool((gain >= 0).all()), schedule, "has a gain that is negative or not finite")
    _say(
        _close(gain[5:6], schedule.gain(t[5:6], x[5:6], v[5:6]), 1e-12), schedule, "has gains that depend on the batch"
    )


def check_meter(meter: EnergyMeter) -> None:
    """The same accounts for every step, a number or more per row; columns of n rows, finite, also over the time 1."""
    _check_component(meter, EnergyMeter)
    x0, steps = _normal(_N, 3), 10
    x, names = x0, set[str]()
    sums: dict[str, Tensor] = {}
    for k in range(steps):
        times = [torch.full((_N,), (k + share) / steps, dtype=torch.float64) for share in (0, 0.5, 1)]
        v = torch.sin(x + times[0][:, None])
        step = Step(ALL, times[0], times[2], x, x + v / steps, (Stage(times[1], v, 1.0),))
        adds = meter.adds(step)
        names = names or set(adds)
        _say(
            set(adds) == names, meter, f"adds to {sorted(adds)} after {sorted(names)}: every step has the same accounts"
        )
        for name, add in adds.items():
            _say(len(add) == _N, meter, f"adds {tuple(add.shape)} to {name!r} for {_N} samples")
            sums[name] = sums[name] + add.double() if name in sums else add.double()
        row = torch.tensor([1])
        part = Step(row, times[0][row], times[2][row], x[row], step.x1[row], (Stage(times[1][row], v[row], 1.0),))
        for name, add in meter.adds(part).items():
            alone = _close(add.double().nan_to_num(), adds[name][row].double().nan_to_num(), 1e-12)
            _say(alone, meter, f"adds to {name!r} what depends on the batch")
        x = step.x1
    columns = meter.columns(sums, x0, x)
    _say(len(columns) > 0, meter, "gives no column")
    for name, column in columns.items():
        shape = tuple(column.shape)
        _say(len(shape) in (1, 2) and shape[0] == _N, meter, f"gives column {name!r} of shape {shape}")
        _say(meter.listens or bool(column.isfinite().all()), meter, f"gives a column {name!r} that is not finite")
    whole = meter.columns_over(sums, x0, x, torch.ones(_N, dtype=torch.float64))
    pairs = ((columns[name].nan_to_num(), whole[name].nan_to_num()) for name in columns)
    same = columns.keys() == whole.keys() and all(_close(*pair, 1e-12) for pair in pairs)
    _say(same, meter, "gives other columns for a path that takes the time 1 (columns_over) than for a whole one")


def check_metric(metric: Metric, samples: Samples) -> None:
    """The same score whatever the batches, their order and how they are merged (1e-10 relative); states not written to.

    Args:
        metric: the metric.
        samples: 8 or more that it can score.
    """
    _check_component(metric, Metric)
    n = len(samples.ids)
    whole = metric.finish(metric.observe(metric.begin(), samples))
    empty = metric.begin()
    first = metric.observe(empty, cut(samples, range(n // 3)))
    second = metric.observe(metric.begin(), cut(samples, range(n // 3, n)))
    merged = metric.finish(metric.merge(second, first))
    again = metric.finish(metric.merge(metric.merge(metric.begin(), first), second))
    turned = metric.finish(metric.observe(metric.begin(), cut(samples, range(n - 1, -1, -1))))
    for other, how in ((merged, "merged"), (again, "merged from an empty state"), (turned, "seen in another order")):
        _say(set(other.values) == set(whole.values), metric, f"gives other names when {how}")
        for name, estimate in whole.values.items():
            apart = abs(other.values[name].value - estimate.value)
            _say(
                apart <= 1e-10 * max(1, abs(estimate.value)),
                metric,
                f"gives another {name!r} when {how}, by {apart:.3g}",
            )
        for name, column in whole.columns.items():
            _say(
                _close(other.columns[name].double(), column.double(), 1e-10),
                metric,
                f"gives another {name!r} when {how}",
            )
    _check_score(metric, whole, samples)


def check_features(features: FeatureSpace, event_shape: Sequence[int], tolerance: float = 1e-5) -> None:
    """Finite vectors `(m, f)`, each from its own sample alone (to `tolerance`, for nets in float32)."""
    _check_component(features, FeatureSpace)
    x = _normal(_N, *event_shape).float().clamp(-1, 1)
    vectors = features.features(x)
    _say(vectors.dim() == 2 and len(vectors) == _N, features, f"answers {_N} samples with {tuple(vectors.shape)}")
    _say(bool(vectors.isfinite().all()), features, "gives features that are not finite")
    _say(
        _close(features.features(x[2:3]), vectors[2:3], tolerance), features, "gives features that depend on the batch"
    )


def check_dataset(dataset: Dataset) -> None:
    """Finite floating-point points of the event shape, the same however they are read, and a label each or none."""
    _check_component(dataset, Dataset)
    n = len(dataset)
    _say(n >= 1, dataset, "is empty")
    head = dataset.read(0, min(n, 5))
    shape = (min(n, 5), *dataset.event_shape)
    _say(tuple(head.shape) == shape, dataset, f"reads {tuple(head.shape)} where its event shape promises {shape}")
    _say(head.is_floating_point() and bool(head.isfinite().all()), dataset, "has points that are no finite floats")
    blocks = torch.cat([block for _, block in dataset.blocks(max(1, n // 3))])
    _say(torch.equal(blocks[: len(head)], head) and len(blocks) == n, dataset, "reads differently in blocks")
    index = torch.tensor([n - 1, 0, n // 2])
    chosen = torch.cat([dataset.read(i, i + 1) for i in index.tolist()])
    _say(torch.equal(dataset.take(index), chosen), dataset, "takes other points than it reads")
    labels = dataset.labels
    fits = labels is None or (labels.dtype == torch.int64 and labels.shape == (n,))
    _say(fits, dataset, "has labels that are not int64 (n,)")


def cut(samples: Samples, index: Sequence[int] | range) -> Samples:
    """Some of the samples, in the order of `index`."""
    rows = torch.tensor(list(index))
    condition = None if samples.condition is None else samples.condition[rows]
    x = samples.x[rows]
    state = x if samples.state is samples.x else samples.state[rows]
    return Samples(samples.ids[rows], x, condition, state=state)


def _check_score(metric: Metric, score: Score, samples: Samples) -> None:
    if not score.columns:
        return
    _say(score.ids is not None, metric, "gives columns without ids")
    assert score.ids is not None
    _say(torch.equal(score.ids, samples.ids.sort().values), metric, "gives ids that are not the samples', ascending")
    for name, column in score.columns.items():
        _say(column.shape == score.ids.shape, metric, f"gives column {name!r} of shape {tuple(column.shape)}")


def _check_component(component: Component, role: type[Component]) -> None:
    cls = type(component)
    _say(isinstance(component, role), component, f"is no {role.__name__}")
    _say("__attrs_attrs__" in cls.__dict__, component, "is not decorated with @attrs.frozen")
    _say(isinstance(attrs.evolve(component), cls), component, "cannot be made anew from its own options")


def _follow(solver: Solver, velocity: Callable[[Tensor, Tensor, Rows], Tensor], x0: Tensor) -> tuple[Tensor, ...]:
    x, clock = x0.clone(), torch.zeros(len(x0), dtype=torch.float64)
    answers: set[tuple[float, ...]] = set()

    def asked(at: Tensor, t: Tensor, rows: Rows) -> Tensor:
        m = len(x0) if is_all(rows) else len(x0[rows])
        _say(
            at.shape == (m, *x0.shape[1:]) and t.shape == (m,),
            solver,
            f"asks for {tuple(at.shape)} at {tuple(t.shape)}",
        )
        _say(t.dtype == torch.float64, solver, f"asks at times of {t.dtype}: times are float64")
        _say(bool(((t >= 0) & (t <= 1)).all()), solver, "asks for velocities outside [0, 1]")
        v = velocity(at, t, rows)
        answers.update(_answers(rows, v))
        return v

    trajectory = Trajectory(solver.solve(asked, x0))
    for step in trajectory:
        _say(_close(step.t0, clock[step.rows], 1e-12), solver, "leaves a gap between two steps")
        _say(bool((step.t1 > step.t0).all()), solver, "takes a step that does not go forward")
        _say(_close(step.x0, x[step.rows], 1e-12), solver, "starts a step elsewhere than the last one ended")
        given = all(answers.issuperset(_answers(step.rows, stage.v)) for stage in step.stages)
        _say(given, solver, "yields a stage that is no velocity it was given, such as a mean")
        total = sum(stage.weight for stage in step.stages)
        _say(abs(total - 1) < 1e-12, solver, f"has stage weights that sum to {total}, not 1")
        slope = sum((stage.v * stage.weight for stage in step.stages), torch.zeros_like(step.x0))
        moved = step.x0 + step.dt.view(-1, *[1] * (x.dim() - 1)) * slope
        _say(_close(step.x1, moved, 1e-12), solver, "yields x1 that is not x0 + dt sum weight v")
        x[step.rows], clock[step.rows] = step.x1, step.t1
    return x, clock, trajectory.columns.get("t_end", torch.ones_like(clock))


def _answers(rows: Rows, v: Tensor) -> list[tuple[float, ...]]:
    """Each sample's velocity, with its number in the batch."""
    ids = torch.arange(_N)[rows] if not is_all(rows) else torch.arange(len(v))
    return [(i, *row) for i, row in zip(ids.tolist(), v.flatten(1).tolist(), strict=True)]


def _normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _close(a: Tensor, b: Tensor, tolerance: float) -> bool:
    return a.shape == b.shape and bool((a - b).abs().max() <= tolerance * (1 + b.abs().max()))


def _say(promise: bool, component: Any, otherwise: str) -> None:
    if not promise:
        raise AssertionError(f"{type(component).__name__} {otherwise}")
