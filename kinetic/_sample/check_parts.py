"""Field, solver, schedule and meters tried on two samples: what does not fit is said before any sample is drawn."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import torch
from torch import Tensor

from kinetic._roles.batch import Batch
from kinetic._roles.field import VelocityField
from kinetic._roles.meter import EnergyMeter
from kinetic._roles.schedule import Schedule
from kinetic._roles.solver import Solver
from kinetic._sample.accounts import Accounts
from kinetic._sample.dynamics import Dynamics, clock_dtype
from kinetic._sample.integrate import Trajectory, joined
from kinetic.errors import OptionError, ShapeError
from kinetic.types import PerSample, Rows, State

_TIMES = 65  # at which the gain is looked at
_ALONE = 1e-2  # how far, relative to its size, a velocity may differ for a row alone: kernels round differently
_TWICE = 1e-5  # and how far when asked again


@attrs.frozen(eq=False)
class Findings:
    """What a trial shows.

    Args:
        metered: the names of the columns that the meters give.
        warnings: what does not stop a run, but should be known.
    """

    metered: frozenset[str]
    warnings: tuple[str, ...]


def check_parts(
    field: VelocityField,
    solver: Solver,
    schedule: Schedule | None,
    meters: Mapping[str, EnergyMeter],
    x0: State,
    batch: Batch,
) -> Findings:
    """Ask the field for the first velocity of a few samples, and walk solver and meters along it, straight on.

    Raises:
        OptionError: a gain below 0, a column that is reserved or given twice.
        ShapeError: velocities, gains or columns of another shape than the samples ask for.
    """
    v, warnings = _check_field(field, x0, batch)
    dynamics = Dynamics.of(field, schedule, batch, x0)
    for each in dynamics.schedules:
        _check_gain(each, x0, v)
    accounts = Accounts(meters, dynamics, x0)
    trajectory, x1 = Trajectory(solver.solve(_Steady(v, dynamics.breakpoints), x0)), x0.clone()
    for step in trajectory:
        accounts.add(step)
        x1[step.rows] = step.x1
    columns = joined(type(solver).__name__, trajectory.columns, accounts.columns(x1))
    for name, column in columns.items():
        if column.dim() not in (1, 2) or len(column) != len(x0):
            raise ShapeError(f"the column {name!r} has the shape {tuple(column.shape)} for {len(x0)} samples")
    return Findings(frozenset(columns.keys() - trajectory.columns.keys()), warnings)


@attrs.frozen(eq=False)
class _Steady:
    """A velocity that stays what it was at first: a path for solver and meters that asks the field no more."""

    v: State
    breakpoints: tuple[float, ...]

    def __call__(self, x: State, t: PerSample, rows: Rows) -> State:
        return self.v[rows]


def _check_field(field: VelocityField, x0: State, batch: Batch) -> tuple[State, tuple[str, ...]]:
    who, t = type(field).__name__, _clock(x0, 0.5)

    def ask(rows: slice) -> Tensor:
        condition = None if batch.condition is None else batch.condition[rows]
        return field.velocity(x0[rows], t[rows], Batch(batch.ids[rows], condition))

    v = field.velocity(x0, _clock(x0, 0.0), Batch(batch.ids, batch.condition))
    if v.shape != x0.shape or v.dtype != x0.dtype:
        raise ShapeError(
            f"{who} answered samples of shape {tuple(x0.shape)} and {x0.dtype} with velocities of shape "
            f"{tuple(v.shape)} and {v.dtype}; they must be the same"
        )
    way = "Call net.eval() on a network: dropout, or BatchNorm in training mode, does this."
    together, again = ask(slice(None)), ask(slice(None))
    size = float(together.double().square().mean().sqrt()) or 1.0
    twice = _furthest(again, together) / size
    if twice > _TWICE:
        return v, (f"{who} answers differently when asked twice, by {twice:.2g} of its size: paths are random. {way}",)
    try:
        apart = _furthest(ask(slice(1, 2)), together[1:2]) / size
    except Exception as error:  # a stranger's network may raise anything at one row
        return v, (f"{who} answers no sample alone: {type(error).__name__}: {error}. {way}",)
    if apart > _ALONE:
        return v, (
            f"{who} answers a sample differently alone and in a batch, by {apart:.2g} of its size: samples depend on "
            f"the batch. {way}",
        )
    return v, ()


def _check_gain(schedule: Schedule, x0: State, v: State) -> None:
    who = type(schedule).__name__
    t = torch.linspace(0, 1, _TIMES, dtype=torch.float64, device=x0.device)
    rows = torch.zeros(_TIMES, dtype=torch.int64, device=x0.device)
    gain = schedule.gain(t, x0[rows], v[rows])
    if gain.shape != t.shape:
        raise ShapeError(
            f"{who} answered {len(t)} samples with gains of shape {tuple(gain.shape)}: they are ({len(t)},)"
        )
    bad = ~(gain >= 0)
    if bool(bad.any()):
        i = int(bad.nonzero()[0])
        raise OptionError(f"{who} has the gain {float(gain[i]):.4g} at t = {float(t[i]):.4g}: gains are numbers >= 0")


def _clock(x0: State, t: float) -> Tensor:
    return torch.full((len(x0),), t, dtype=clock_dtype(x0.dtype), device=x0.device)


def _furthest(a: Tensor, b: Tensor) -> float:
    return float((a - b).double().abs().max())
