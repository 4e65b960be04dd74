"""What a schedule promises."""

from __future__ import annotations

import torch
from torch import Tensor

from kinetic._roles.schedule import Schedule
from kinetic.testing.check import Allowances, promised, say
from kinetic.testing.probe import EXACT, TIMES, apart, close, jump, normal

_TIMES = len(TIMES)


def _states(n: int) -> tuple[Tensor, Tensor, Tensor]:
    """Times of the whole of [0, 1] that are not in order, places and velocities."""
    t = torch.tensor(TIMES if n == _TIMES else [k / n for k in range(n)], dtype=torch.float64)
    t = torch.cat([t[::2], t[1::2]])
    return t, normal(n, 3), normal(n, 3, seed=1)


@promised("schedule")
def check_breakpoints(schedule: Schedule, allow: Allowances) -> None:
    """`breakpoints` are a tuple of times in (0, 1)."""
    points = schedule.breakpoints
    right = isinstance(points, tuple) and all(0 < point < 1 for point in points)
    say(right, schedule, "has breakpoints in (0, 1)", f"they are {points!r}", "Give a tuple of times, often ().")


@promised("schedule")
def check_shape(schedule: Schedule, allow: Allowances) -> None:
    """There is one gain for each sample, (m,), floating point."""
    for n in (_TIMES, 1, 4):
        t, x, v = _states(n)
        gain = schedule.gain(t, x, v)
        came, remedy = f"it is {tuple(gain.shape)} of {gain.dtype}", "Give a number for each row of t."
        right = gain.shape == t.shape and gain.is_floating_point()
        say(right, schedule, f"gives {n} samples {n} gains", came, remedy)


@promised("schedule")
def check_finite(schedule: Schedule, allow: Allowances) -> None:
    """Gains are finite at every t in [0, 1], both ends among them."""
    for dtype in (torch.float64, torch.float32):
        t, x, v = (each.to(dtype) for each in _states(_TIMES))
        gain = schedule.gain(t, x, v)
        bad = t[~gain.isfinite().flatten()[: len(t)]].tolist() if len(gain) == len(t) else t.tolist()
        fine = bool(gain.isfinite().all())
        came = f"they are not at t = {', '.join(f'{each:.4g}' for each in bad[:5])}"
        say(fine, schedule, "has finite gains", came, "Guard what is singular at an end: clamp t.")


@promised("schedule")
def check_not_negative(schedule: Schedule, allow: Allowances) -> None:
    """Gains are not negative, so that no path goes back in time."""
    t, x, v = _states(_TIMES)
    least = float(schedule.gain(t, x, v).nan_to_num().min())
    remedy = "Refuse the options that make it so, or clamp at 0."
    say(least >= 0, schedule, "has gains of 0 or more", f"the least is {least:.4g}", remedy)


@promised("schedule")
def check_arguments_kept(schedule: Schedule, allow: Allowances) -> None:
    """t, x and v are not written to."""
    given = _states(_TIMES)
    kept = [each.clone() for each in given]
    schedule.gain(*given)
    changed = [name for name, a, b in zip("txv", given, kept, strict=True) if not torch.equal(a, b)]
    remedy = "No operation that ends in _: a v changed in place is a gain that no account knows."
    say(not changed, schedule, "keeps t, x and v", f"it writes to {', '.join(changed)}", remedy)


@promised("schedule")
def check_rows_alone(schedule: Schedule, allow: Allowances) -> None:
    """A sample has alone the gain that it has in a batch."""
    t, x, v = _states(12)
    together = schedule.gain(t, x, v)
    for i in range(12):
        row = slice(i, i + 1)
        alone = schedule.gain(t[row].clone(), x[row].clone(), v[row].clone())
        same = close(together[row], alone, allow.within(EXACT))
        remedy = "No mean or maximum over the batch, of times neither."
        say(same, schedule, "gives a row alone the gain of a batch", apart(together[row], alone), remedy)


@promised("schedule")
def check_rows_permuted(schedule: Schedule, allow: Allowances) -> None:
    """Samples in another order have the same gains, in that order."""
    t, x, v = _states(12)
    order = torch.tensor([7, 2, 11, 0, 5, 9, 1, 10, 3, 8, 4, 6])
    together, turned = schedule.gain(t, x, v), schedule.gain(t[order], x[order], v[order])
    same = close(turned, together[order], allow.within(EXACT))
    remedy = "Gain i is of row i: do not sort, and let no number in the batch count."
    say(same, schedule, "gives gains in the order of the rows", apart(turned, together[order]), remedy)


@promised("schedule")
def check_adaptive(schedule: Schedule, allow: Allowances) -> None:
    """A gain that looks at x or v says so: `adaptive` is true."""
    t, x, v = _states(_TIMES)
    same = close(schedule.gain(t, 3 * x[[*range(1, len(x)), 0]], 2 * v.flip(0)), schedule.gain(t, x, v), 0)
    remedy = "Set `adaptive = True` in the class: the mean gain is then of the gains that were applied."
    say(same or schedule.adaptive, schedule, "has a gain of t alone", "it is another at another x and v", remedy)


@promised("schedule")
def check_jumps(schedule: Schedule, allow: Allowances) -> None:
    """A gain that jumps does so at `breakpoints`."""
    x, v = normal(1, 3), normal(1, 3, seed=1)
    points = schedule.breakpoints if isinstance(schedule.breakpoints, tuple) else ()
    where = jump(lambda t: schedule.gain(t, x.expand(len(t), 3).clone(), v.expand(len(t), 3).clone()), points)
    came = f"it jumps at t = {0 if where is None else where:.6g}, breakpoints are {schedule.breakpoints!r}"
    remedy = "Add the time to `breakpoints`: adaptive solvers step onto it, others fall to order 1 there."
    say(where is None, schedule, "jumps at its breakpoints only", came, remedy)


@promised("schedule")
def check_single_precision(schedule: Schedule, allow: Allowances) -> None:
    """Gains in float32 are those in float64, to the precision of float32."""
    t, x, v = _states(_TIMES)
    wide, narrow = schedule.gain(t, x, v), schedule.gain(t.float(), x.float(), v.float()).double()
    away = torch.ones_like(t, dtype=torch.bool)
    for point in schedule.breakpoints if isinstance(schedule.breakpoints, tuple) else ():
        away &= (t - point).abs() > 1e-5
    if wide.shape == narrow.shape == t.shape:
        same = close(narrow[away], wide[away], 1e-4)
        remedy = "Compute in the dtype of t, and compare times in it."
        say(same, schedule, "has in float32 the gains of float64", apart(narrow[away], wide[away]), remedy)
