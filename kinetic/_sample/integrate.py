"""One batch from noise to data: moved, weighed, and denoised where it stopped short."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

import attrs
import torch
from torch import Tensor

from kinetic._roles.batch import Batch
from kinetic._roles.field import VelocityField
from kinetic._roles.meter import EnergyMeter
from kinetic._roles.raised import naming
from kinetic._roles.schedule import Schedule
from kinetic._roles.solver import Solver, Status, Step
from kinetic._sample.accounts import Accounts
from kinetic._sample.columns import OF_SOLVERS, RESERVED
from kinetic._sample.dynamics import Dynamics, clock_dtype
from kinetic._sample.shard import Shard
from kinetic.errors import OptionError
from kinetic.types import PerSample, Rows, State, is_all

Progress = Callable[[float], None]
"""Given how many samples' worth of path was walked since it was last called."""

_ROUNDING = 1e-9  # of a mean gain: what is nearer to 1 has left nothing undone
MEMORY = (
    "Take fewer samples at a time with a smaller `batch`. In a run folder that holds finished blocks it is fixed: free "
    "memory and run the same command again, or begin another folder."
)
_LOOK = 0.2  # seconds between two looks at how far a batch is


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

    A sample whose path is not finite to the end gets the status `NOT_FINITE`, and its time in `finite_until`.

    Raises:
        FieldError: field, schedule, solver or a meter raised an error of its own.
        OptionError: two meters, or a meter and the solver, that give one column.
    """
    with naming(f"samples {int(batch.ids[0])} to {int(batch.ids[-1])}", MEMORY):
        return _integrated(field, solver, schedule, meters, x0, batch, progress)


def _integrated(
    field: VelocityField,
    solver: Solver,
    schedule: Schedule | None,
    meters: Mapping[str, EnergyMeter],
    x0: State,
    batch: Batch,
    progress: Progress,
) -> Shard:
    dynamics = Dynamics.of(field, schedule, batch, x0, any(meter.listens for meter in meters.values()))
    accounts = Accounts(meters, dynamics, x0)
    trajectory = Trajectory(solver.solve(dynamics, x0))
    x = _walk(trajectory, accounts, x0, progress)
    columns = trajectory.columns
    stopped = _stopped(x, accounts, columns, lambda: solver.solve(Dynamics.of(field, schedule, batch, x0), x0))
    asked = {"nfe": dynamics.calls} | ({} if dynamics.rows is None else {"rows": dynamics.rows})
    energy = asked | joined(type(solver).__name__, columns, accounts.columns(x)) | stopped
    first, last = x0.double().flatten(1), x.double().flatten(1)
    energy |= {"x0_sq": first.square().sum(1), "x0_dot_x1": (first * last).sum(1), "x1_sq": last.square().sum(1)}
    denoised = x
    if dynamics.may_stop_short or "t_end" in columns:
        denoised, noise_left = denoise(dynamics.field, x, accounts.gain, Batch(batch.ids, batch.condition))
        energy |= {"gain": accounts.gain, "noise_left": noise_left}
    state, samples = _kept(field, x)
    denoised_state, denoised_samples = (state, samples) if denoised is x else _kept(field, denoised)
    return Shard(
        start=int(batch.ids[0]),
        samples=samples,
        denoised=denoised_samples,
        state=state,
        denoised_state=denoised_state,
        energy={name: value.double().cpu() for name, value in energy.items()},
    )


def _kept(field: VelocityField, x: State) -> tuple[Tensor, Tensor]:
    """Samples as they were moved and as they are seen, on the CPU; one tensor where these are the same."""
    state, seen = x.cpu(), field.seen(x)
    return state, state if seen is x else seen.cpu()


def denoise(field: VelocityField, x: State, gain: PerSample, batch: Batch) -> tuple[State, PerSample]:
    """x + (1 - I) v(x, I), one Euler step over what a mean gain I below 1 left undone; x itself if nothing moves.

    Args:
        field: the field, without its gain.
        x: `(n, *event)`, the samples.
        gain: I of each sample, `(n,)`, the time whose noise it still has.
        batch: who they are.
    Returns:
        The denoised samples, and the root mean square over its elements of what the step changed, float64 `(n,)`.
    """
    rest = torch.where(gain < 1 - _ROUNDING, 1 - gain, 0.0)
    if not bool((rest > 0).any()):
        return x, torch.zeros_like(rest)
    v = field.velocity(x, (1 - rest).clamp_max(field.t_end).to(clock_dtype(x.dtype)), batch)
    change = v * rest.to(v.dtype).view(-1, *[1] * (v.dim() - 1))
    finite = torch.isfinite(change.flatten(1)).all(1)  # a sample that a solver gave up on may be anywhere
    change[~finite] = 0
    moved = x + change
    return x if torch.equal(moved, x) else moved, change.double().flatten(1).square().mean(1).sqrt()


def renoise(field: VelocityField, x: State, x0: State, gain: PerSample, batch: Batch) -> State:
    """Samples put back to the noise of t = I by the noise x0 they came from, I x + (1 - I) x0, and denoised again."""
    share = gain.clamp(0, 1).to(x.dtype).view(-1, *[1] * (x.dim() - 1))
    return denoise(field, share * x + (1 - share) * x0, gain, batch)[0]


def _walk(trajectory: Trajectory, accounts: Accounts, x0: State, progress: Progress) -> State:
    x, reported, next_look = x0, 0.0, time.monotonic() + _LOOK
    for step in trajectory:
        accounts.add(step)
        x = step.x1 if is_all(step.rows) else _put(x, step.rows, step.x1, first=x is x0)
        if time.monotonic() > next_look:  # seldom: on a GPU, to look is to wait for it
            walked = float(accounts.clock.sum())
            progress(walked - reported)
            reported, next_look = walked, time.monotonic() + _LOOK
    progress(len(x0) - reported)
    return x


def _stopped(
    x: State, accounts: Accounts, columns: Mapping[str, Tensor], again: Callable[[], Iterator[Step]]
) -> dict[str, Tensor]:
    """The columns `status` and `finite_until`, where the path of some sample was not finite to the end."""
    bad = ~torch.isfinite(x.flatten(1)).all(1)
    if "status" in columns:
        bad = (bad | (accounts.clock < 1 - _ROUNDING)) & (columns["status"] == Status.REACHED)
    elif "t_end" not in columns:
        bad |= accounts.clock < 1 - _ROUNDING
    if not bool(bad.any()):
        return {}
    before = columns.get("status", torch.full_like(accounts.clock, Status.REACHED))
    until = _finite_until(again(), len(x), x.device)
    return {
        "status": torch.where(bad, Status.NOT_FINITE, before),
        "finite_until": torch.where(bad, until, torch.nan),
    }


def _finite_until(steps: Iterator[Step], n: int, device: torch.device) -> Tensor:
    """When the samples stopped being finite, float64 `(n,)`, by walking once more and looking at each step."""
    until = torch.zeros(n, dtype=torch.float64, device=device)
    for step in steps:
        finite = torch.isfinite(step.x1.flatten(1)).all(1) & step.energy.isfinite()
        until[step.rows] = torch.where(finite, step.t1, until[step.rows])
    return until


def joined(
    solver: str, returned: Mapping[str, Tensor], metered: Mapping[str, Mapping[str, Tensor]]
) -> dict[str, Tensor]:
    """The columns of a solver and of all meters, none given twice and none that is the Runner's own.

    Raises:
        OptionError: some are; the message says whose.
    """
    columns: dict[str, Tensor] = {}
    for part, own in {solver: returned, **{f"meter {name!r}": of_meter for name, of_meter in metered.items()}}.items():
        for name, column in own.items():
            if name in RESERVED or (part != solver and name in OF_SOLVERS):
                raise OptionError(f"{part} gives the column {name!r}, which is the Runner's own: name it otherwise")
            if name in columns:
                raise OptionError(f"two parts give the column {name!r}: {part} and one before it")
            columns[name] = column
    return columns


@attrs.define(eq=False)
class Trajectory:
    """The steps of a solver, and the columns it returns after the last."""

    steps: Iterator[Step]
    columns: Mapping[str, Tensor] = attrs.field(factory=dict)

    def __iter__(self) -> Iterator[Step]:
        self.columns = (yield from self.steps) or {}  # type: ignore[func-returns-value]


def _put(x: State, rows: Rows, x1: State, first: bool) -> State:
    x = x.clone() if first else x
    x[rows] = x1
    return x
