"""Field, solver, schedule and meters tried on two samples: what does not fit is said before any sample is drawn."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import torch

from kinetic._roles.batch import Batch
from kinetic._roles.field import VelocityField
from kinetic._roles.meter import EnergyMeter
from kinetic._roles.schedule import Schedule
from kinetic._roles.solver import Solver
from kinetic._sample.accounts import Accounts
from kinetic._sample.check_field import Noise, check_field
from kinetic._sample.dynamics import Dynamics
from kinetic._sample.integrate import Trajectory, joined
from kinetic.errors import OptionError, ShapeError
from kinetic.types import PerSample, Rows, State

_TIMES = 65  # at which the gain is looked at


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
    noise: Noise | None = None,
) -> Findings:
    """Ask the field for the first velocity of a few samples, and walk solver and meters along it, straight on.

    `noise` as of `check_field`.

    Raises:
        FieldError: the field raised an error, or is 0 wherever it was asked.
        OptionError: a gain below 0, a column that is reserved or given twice.
        ShapeError: velocities, gains or columns of another shape than the samples ask for.
    """
    v, warnings = check_field(field, x0, batch, noise)
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
