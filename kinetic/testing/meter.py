"""What an energy meter promises."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from kinetic._roles.meter import EnergyMeter
from kinetic._roles.solver import Stage, Step
from kinetic._sample.columns import OF_SOLVERS, RESERVED
from kinetic.testing.check import Allowances, promised, say
from kinetic.testing.probe import EXACT, N, apart, close, normal
from kinetic.types import ALL

_STEPS = 10


def _time(time: float, n: int = N) -> Tensor:
    return torch.full((n,), time, dtype=torch.float64)


def path(dtype: torch.dtype = torch.float64, span: bool = False) -> tuple[list[Step], Tensor, Tensor]:
    """Ten steps of six samples by the midpoint method, with x0 and x1."""
    x0 = x = normal(N, 3, dtype=dtype)
    steps = []
    for k in range(_STEPS):
        t0, middle, t1 = (_time((k + share) / _STEPS) for share in (0, 0.5, 1))
        first = torch.sin(x + t0[:, None].to(dtype))
        second = torch.sin(x + first / (2 * _STEPS) + middle[:, None].to(dtype))
        x1 = x + second / _STEPS
        stages = (Stage(t0, first, 0.0), Stage(middle, second, 1.0))
        steps.append(Step(ALL, t0, t1, x, x1, stages, (k / _STEPS, (k + 1) / _STEPS) if span else None))
        x = x1
    return steps, x0, x


def summed(meter: EnergyMeter, steps: list[Step]) -> dict[str, Tensor]:
    """The accounts of all steps, as the Runner adds them."""
    sums: dict[str, Tensor] = {}
    for step in steps:
        for name, add in meter.adds(step).items():
            sums[name] = sums[name] + add.double() if name in sums else add.double()
    return sums


def columns(
    meter: EnergyMeter, dtype: torch.dtype = torch.float64, rows: slice = ALL, over: Tensor | None = None
) -> Mapping[str, Tensor]:
    """The columns of some rows of a path, or those of paths that take the time `over`."""
    steps, x0, x1 = path(dtype)
    sums = {name: total[rows].clone() for name, total in summed(meter, steps).items()}
    x0, x1 = x0[rows].clone(), x1[rows].clone()
    return meter.columns(sums, x0, x1) if over is None else meter.columns_over(sums, x0, x1, over)


def _differing(one: Mapping[str, Tensor], other: Mapping[str, Tensor], tolerance: float) -> str:
    """What differs between two tables, in words, or nothing."""
    if one.keys() != other.keys():
        return f"{sorted(one)} beside {sorted(other)}"
    return "; ".join(
        f"{name!r}: {apart(one[name], other[name])}" for name in one if not close(one[name], other[name], tolerance)
    )


@promised("meter")
def check_accounts(meter: EnergyMeter, allow: Allowances) -> None:
    """Every step adds to the same accounts, a number or more for each row."""
    steps, _, _ = path()
    names = set(meter.adds(steps[0]))
    for step in steps:
        adds = meter.adds(step)
        came = f"{sorted(adds)} after {sorted(names)}"
        say(set(adds) == names, meter, "adds to the same accounts", came, "Add zeros where there is nothing to add.")
        for name, add in adds.items():
            came, remedy = f"{name!r} is {tuple(add.shape)}", "Sum over the elements of a sample, not over samples."
            say(add.dim() > 0 and len(add) == N, meter, f"adds {N} numbers for {N} rows", came, remedy)


@promised("meter")
def check_adds_alone(meter: EnergyMeter, allow: Allowances) -> None:
    """A step adds for a row alone what it adds for it in a batch."""
    for step in path()[0][::4]:
        together = meter.adds(step)
        for i in range(N):
            row = torch.tensor([i])
            stages = tuple(Stage(s.t[row], s.v[row], s.weight) for s in step.stages)
            part = Step(row, step.t0[row], step.t1[row], step.x0[row], step.x1[row], stages)
            alone, same = meter.adds(part), {name: add[row] for name, add in together.items()}
            wrong = _differing(alone, same, allow.within(EXACT))
            say(not wrong, meter, "adds for a row what is its own", wrong, "No mean or sum over the batch.")


@promised("meter")
def check_additive(meter: EnergyMeter, allow: Allowances) -> None:
    """A straight step cut in two adds in its parts what it adds as a whole."""
    x, v = normal(N, 3), normal(N, 3, seed=1)
    for start, stop, cut in ((0.2, 0.4, 0.3), (0.5, 0.9, 0.6)):
        whole, first, second = (
            _straight(x + (a - start) * v, v, a, b) for a, b in ((start, stop), (start, cut), (cut, stop))
        )
        added = summed(meter, [first, second])
        wrong = _differing(added, summed(meter, [whole]), allow.within(1e-9))
        remedy = "Add an integral over the step, a rate times step.dt, so that finer steps do not change the sum."
        say(not wrong, meter, "adds up over the parts of a step", wrong, remedy)


def _straight(x: Tensor, v: Tensor, start: float, stop: float) -> Step:
    t0, t1 = _time(start), _time(stop)
    return Step(ALL, t0, t1, x, x + (stop - start) * v, (Stage(t0, v, 1.0),))


@promised("meter")
def check_span(meter: EnergyMeter, allow: Allowances) -> None:
    """A step whose times are also given as numbers, `span`, adds the same as without."""
    with_span, without = (summed(meter, path(span=span)[0]) for span in (True, False))
    wrong = _differing(with_span, without, allow.within(1e-9))
    say(not wrong, meter, "adds the same with and without span", wrong, "Both hold t0 and t1 of the step.")


@promised("meter")
def check_single_precision(meter: EnergyMeter, allow: Allowances) -> None:
    """Columns of states in float32 are those of float64, to the precision of float32."""
    wrong = _differing(columns(meter, torch.float32), columns(meter), max(1e-4, allow.within(1e-4)))
    say(not wrong, meter, "weighs float32 as float64", wrong, "Square and sum in float64: v.double().")


@promised("meter")
def check_arguments_kept(meter: EnergyMeter, allow: Allowances) -> None:
    """Steps, accounts, x0 and x1 are not written to."""
    steps, x0, x1 = path()
    states = [each for step in steps for each in (step.x0, step.x1, step.t0, step.t1, *(s.v for s in step.stages))]
    kept = [each.clone() for each in states]
    sums = summed(meter, steps)
    accounts = {name: total.clone() for name, total in sums.items()}
    meter.columns(sums, x0, x1)
    right = all(torch.equal(a, b) for a, b in zip(states, kept, strict=True))
    remedy = "No operation that ends in _: other meters and metrics see the same tensors."
    say(right, meter, "keeps what it is given", "it writes to a state, a time or a velocity", remedy)
    same = all(close(sums[name], accounts[name], 0) for name in accounts)
    say(same, meter, "keeps its accounts", "columns() writes to them", remedy)


@promised("meter")
def check_columns(meter: EnergyMeter, allow: Allowances) -> None:
    """There is a column at least, and each has a number, or a curve, for every sample."""
    given = columns(meter)
    say(len(given) > 0, meter, "gives a column", "it gives none", "Return {name: (n,)} from `columns`.")
    for name, column in given.items():
        shape = tuple(column.shape)
        right = len(shape) in (1, 2) and shape[0] == N
        remedy = "(n,), or (n, k) for a curve."
        say(right, meter, f"gives columns of {N} rows", f"{name!r} is {shape}", remedy)


@promised("meter")
def check_finite(meter: EnergyMeter, allow: Allowances) -> None:
    """Columns of a finite path are finite; a meter that listens may have NaN where nobody tells it anything."""
    if meter.listens:
        return
    for name, column in columns(meter).items():
        fine = bool(column.isfinite().all())
        say(fine, meter, "gives finite columns", f"{name!r} is not", "Guard divisions by what may be 0.")


@promised("meter")
def check_columns_alone(meter: EnergyMeter, allow: Allowances) -> None:
    """A sample has alone the columns that it has in a batch."""
    together = columns(meter)
    for i in range(N):
        row = slice(i, i + 1)
        alone = columns(meter, rows=row)
        wrong = _differing(alone, {name: column[row] for name, column in together.items()}, allow.within(EXACT))
        remedy = "No mean, rank or maximum over the batch: columns are of a sample."
        say(not wrong, meter, "gives a sample its own columns", wrong, remedy)


@promised("meter")
def check_columns_over(meter: EnergyMeter, allow: Allowances) -> None:
    """A path that takes the time 1 has the columns of a whole one (`columns_over`)."""
    over = columns(meter, over=torch.ones(N, dtype=torch.float64))
    wrong = _differing(over, columns(meter), allow.within(EXACT))
    remedy = "Where `columns` has the displacement, `columns_over` divides it by the duration, and nothing else."
    say(not wrong, meter, "agrees with itself on a path of time 1", wrong, remedy)


@promised("meter")
def check_reserved(meter: EnergyMeter, allow: Allowances) -> None:
    """No column has a name that is the Runner's own."""
    taken = sorted(set(columns(meter)) & (RESERVED | set(OF_SOLVERS)))
    say(not taken, meter, "names its columns itself", f"{', '.join(taken)} is the Runner's", "Name it otherwise.")


@promised("meter")
def check_described(meter: EnergyMeter, allow: Allowances) -> None:
    """Each column is described once, by a `kinetic.Column` with a sentence, and nothing else is."""
    names = [column.name for column in meter.described]
    silent = [column.name for column in meter.described if not column.says.endswith(".")]
    missing, none = sorted(set(columns(meter)) - set(names)), sorted(set(names) - set(columns(meter)))
    remedy = "described = (kinetic.Column('name', 'What it is.', 'energy', 'its unit'), ...)."
    say(not missing, meter, "describes its columns", f"{', '.join(missing)} says nothing", remedy)
    say(not none, meter, "describes columns that it gives", f"{', '.join(none)} is none", remedy)
    say(not silent, meter, "describes by sentences", f"{', '.join(silent)} ends without a full stop", remedy)
    say(len(set(names)) == len(names), meter, "describes a column once", "one has two", remedy)


@promised("meter")
def check_terms(meter: EnergyMeter, allow: Allowances) -> None:
    """Columns that `terms` says are sums of others are."""
    _steps, x0, x1 = path()
    own = {"x0_sq": x0.square().sum(1), "x0_dot_x1": (x0 * x1).sum(1), "x1_sq": x1.square().sum(1)}
    known = own | dict(columns(meter))
    for name, weights in meter.terms.items():
        unknown = sorted({name, *weights} - known.keys())
        say(not unknown, meter, "has terms that there are", f"{', '.join(unknown)} is none", "Name columns.")
        total = sum(weight * known[term] for term, weight in weights.items())
        right = close(torch.as_tensor(total), known[name], 1e-9)
        say(right, meter, f"has {name!r} = sum of its terms", "it is another number", "Look at the weights.")
