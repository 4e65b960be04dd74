"""One batch from noise to data: moved, weighed, looked at by the guard."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

import attrs
import torch
from torch import Tensor

from kinetic._roles.batch import Batch
from kinetic._roles.field import Shaped, VelocityField
from kinetic._roles.meter import EnergyMeter
from kinetic._roles.schedule import Schedule
from kinetic._roles.solver import Solver, Status, Step
from kinetic._sample.accounts import Accounts
from kinetic._sample.run import Shard
from kinetic.errors import NonFiniteError, OptionError
from kinetic.types import PerSample, Rows, State, is_all

Progress = Callable[[float], None]
"""Told how many samples' worth of path has been walked since it was last told."""

_RESERVED = {"nfe", "x0_sq", "x0_dot_x1", "x1_sq", "gain", "noise_left"}
_LOOK = 0.2  # seconds between two looks at how far a batch is


def clock_dtype(dtype: torch.dtype) -> torch.dtype:
    """The dtype of the times a field is asked at: that of the samples, float32 where they are of lower precision."""
    return torch.float32 if dtype in (torch.float16, torch.bfloat16) else dtype


def integrate(
    field: VelocityField,
    solver: Solver,
    schedule: Schedule | None,
    meters: Mapping[str, EnergyMeter],
    x0: State,
    batch: Batch,
    progress: Progress,
) -> Shard:
    """Walk a batch from x0 to t = 1; the arguments are those of the `Runner`.

    Raises:
        NonFiniteError: the field returned NaN or infinity.
        OptionError: two meters, or a meter and the solver, that give one column.
    """
    dynamics = _Dynamics(field, schedule, batch, x0)
    accounts = Accounts(meters, len(x0), x0.device)
    walk = _Trajectory(solver.solve(dynamics, x0))
    x, told, next_look = x0, 0.0, time.monotonic() + _LOOK
    for step in walk:
        accounts.add(step, schedule)
        x = step.x1 if is_all(step.rows) else _put(x, step.rows, step.x1, first=x is x0)
        if time.monotonic() > next_look:  # seldom: on a GPU, to look is to wait for it
            walked = float(accounts.clock.sum())
            progress(walked - told)
            told, next_look = walked, time.monotonic() + _LOOK
    progress(len(x0) - told)
    accounts.start(x0)
    columns = walk.columns
    bad = ~torch.isfinite(x.flatten(1)).all(1) | (accounts.clock < 1 - 1e-9)
    if "status" in columns:
        bad &= columns["status"] == Status.REACHED
    if bool(bad.any()):
        dynamics = _Dynamics(field, schedule, Batch(batch.ids, batch.condition), x0)
        raise NonFiniteError(batch.ids[bad].tolist(), _finite_until(solver.solve(dynamics, x0), bad))
    if reserved := _RESERVED & columns.keys():
        raise OptionError(f"{type(solver).__name__} gives the column {min(reserved)!r}, which is the Runner's own")
    energy = {"nfe": dynamics.calls} | dict(columns)
    for name, meter in meters.items():
        for column, value in meter.columns(accounts.sums[name], x0, x).items():
            if column in energy or column in _RESERVED:
                raise OptionError(f"two parts give the column {column!r}: meter {name!r} and one before it")
            energy[column] = value
    first, last = x0.double().flatten(1), x.double().flatten(1)
    energy |= {"x0_sq": first.square().sum(1), "x0_dot_x1": (first * last).sum(1), "x1_sq": last.square().sum(1)}
    denoised = x
    if schedule:
        rest = (1 - accounts.gain).clamp_min(0).to(dynamics.clock)
        v = field.velocity(x, 1 - rest, Batch(batch.ids, batch.condition))
        change = v * rest.to(v.dtype).view(-1, *[1] * (v.dim() - 1))
        denoised = x + change
        energy |= {"gain": accounts.gain, "noise_left": change.double().flatten(1).square().mean(1).sqrt()}
    return Shard(
        start=int(batch.ids[0]),
        samples=x.cpu(),
        denoised=denoised.cpu(),
        energy={name: value.double().cpu() for name, value in energy.items()},
    )


def _finite_until(steps: Iterator[Step], bad: Tensor) -> float:
    """When the first of the bad samples stopped being finite, found by walking once more and looking at each step."""
    until = torch.zeros(len(bad), dtype=torch.float64, device=bad.device)
    for step in steps:
        finite = torch.isfinite(step.x1.flatten(1)).all(1) & step.energy.isfinite()
        until[step.rows] = torch.where(finite, step.t1, until[step.rows])
    return float(until[bad].min())


@attrs.define(eq=False, init=False)
class _Dynamics:
    """What the solver integrates: the field, shaped, asked on behalf of a batch. Counts how often it is asked."""

    field: VelocityField
    batch: Batch
    breakpoints: tuple[float, ...]
    clock: torch.dtype
    _whole: int
    _part: Tensor

    def __init__(self, field: VelocityField, schedule: Schedule | None, batch: Batch, x0: State) -> None:
        self.field = Shaped(field, schedule) if schedule else field
        self.batch, self.clock = batch, clock_dtype(x0.dtype)
        self.breakpoints = self.field.breakpoints
        self._whole, self._part = 0, torch.zeros(len(x0), dtype=torch.int64, device=x0.device)

    def __call__(self, x: State, t: PerSample, rows: Rows) -> State:
        if is_all(rows):
            self._whole += 1
            return self.field.velocity(x, t.to(self.clock), self.batch)
        self._part[rows] += 1
        return self.field.velocity(x, t.to(self.clock), self.batch.take(rows))

    @property
    def calls(self) -> PerSample:
        """Velocities asked for, sample by sample, int64 `(n,)`."""
        return self._part + self._whole


class _Trajectory:
    """The steps of a solver, and the columns it returns after the last."""

    def __init__(self, steps: Iterator[Step]) -> None:
        self.steps = steps
        self.columns: Mapping[str, Tensor] = {}

    def __iter__(self) -> Iterator[Step]:
        self.columns = (yield from self.steps) or {}  # type: ignore[func-returns-value]


def _put(x: State, rows: Rows, x1: State, first: bool) -> State:
    x = x.clone() if first else x
    x[rows] = x1
    return x
