"""What a velocity field promises."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import torch
from torch import Tensor, nn

from kinetic._roles.batch import Batch
from kinetic._roles.field import VelocityField
from kinetic._roles.tree import inside
from kinetic._sample.dynamics import clock_dtype
from kinetic.testing.check import Allowances, promised, say
from kinetic.testing.probe import (
    TIMES,
    N,
    apart,
    close,
    copied,
    home,
    in_training,
    jump,
    normal,
    own_dtypes,
    tolerance_of,
)

_ALL = torch.arange(N)


@attrs.frozen(eq=False)
class Asked:
    """A field with the samples it is asked for: noise x and six rows of it, in one dtype."""

    field: VelocityField
    allow: Allowances
    dtype: torch.dtype
    x: Tensor

    def time(self, *times: float) -> Tensor:
        """Times in the dtype that a field is given, `(m,)`."""
        return torch.tensor(times, dtype=torch.float64).to(self.x.device, clock_dtype(self.dtype))

    def velocity(self, t: Tensor, rows: Tensor = _ALL, asked: Tensor | None = None) -> Tensor:
        """Velocity of these rows at times `(m,)`, or `(1,)` for all; `asked` are those whose conditions they have."""
        return self.field.velocity(self.x[rows].clone(), t.expand(len(rows)).clone(), self.batch(rows, asked))

    def batch(self, rows: Tensor = _ALL, asked: Tensor | None = None) -> Batch:
        """Who they are; all are asked for the same as the first, where `asked` says nothing else."""
        condition, device = self.allow.condition, self.x.device
        if condition is not None:
            condition = condition[0 * rows if asked is None else asked].to(device)
        return Batch(rows.to(device), condition)

    @property
    def within(self) -> float:
        """How far two answers for one row may be apart."""
        return self.allow.within(tolerance_of(self.dtype))


def asked(field: VelocityField, allow: Allowances) -> Iterator[Asked]:
    """A field in each dtype that it is asked in, on its device."""
    for dtype in own_dtypes(field):
        yield Asked(field, allow, dtype, normal(N, *field.event_shape, dtype=dtype).to(home(field)))


@promised("field")
def check_shape(field: VelocityField, allow: Allowances) -> None:
    """A velocity has the shape of x, for any number of rows."""
    for ask in asked(field, allow):
        for rows in (_ALL, _ALL[:1], _ALL[1:4]):
            v = ask.velocity(ask.time(0.3), rows)
            came, right = f"v is {tuple(v.shape)}", v.shape == ask.x[rows].shape
            remedy = "t is (m,): multiply it as t.view(-1, *[1] * (x.dim() - 1))."
            say(right, field, f"answers {tuple(ask.x[rows].shape)} with the same", came, remedy)


@promised("field")
def check_dtype(field: VelocityField, allow: Allowances) -> None:
    """A velocity has the dtype of x."""
    for ask in asked(field, allow):
        v = ask.velocity(ask.time(0.3))
        remedy = "Compute in what precision it needs, and end with v.to(x.dtype)."
        say(v.dtype == ask.dtype, field, f"answers {ask.dtype} with the same", f"v is {v.dtype}", remedy)


@promised("field")
def check_finite(field: VelocityField, allow: Allowances) -> None:
    """Velocities are finite at every t in [0, 1], both ends among them."""
    for ask in asked(field, allow):
        for start in range(0, len(TIMES), 16):
            t = ask.time(*TIMES[start : start + 16])
            v = ask.velocity(t, torch.arange(len(t)) % N)
            bad = (~v.flatten(1).isfinite().all(1)).nonzero().flatten().tolist()
            came = f"it is not at t = {', '.join(f'{float(t[i]):g}' for i in bad)}"
            say(not bad, field, "is finite for t in [0, 1]", came, "A field guards its own singularities: clamp.")


@promised("field")
def check_x_kept(field: VelocityField, allow: Allowances) -> None:
    """x and t are not written to."""
    for ask in asked(field, allow):
        x, t = ask.x.clone(), ask.time(0.3).expand(N).clone()
        kept = t.clone()
        field.velocity(x, t, ask.batch())
        remedy = "Write x = x * ..., not x *= ... or x.mul_(): solvers and energies still need it."
        came = "x is changed" if not torch.equal(x, ask.x) else "t is changed"
        say(torch.equal(x, ask.x) and torch.equal(t, kept), field, "keeps x and t", came, remedy)


@promised("field")
def check_rows_alone(field: VelocityField, allow: Allowances) -> None:
    """A row is answered alone as it is answered in a batch."""
    for ask in asked(field, allow):
        t = ask.time(0.45)
        together = ask.velocity(t)
        for i in range(N):
            alone = ask.velocity(t, _ALL[i : i + 1])
            remedy = "No mean, norm or statistic over the batch; see also `train_mode`."
            same = close(together[i : i + 1], alone, ask.within)
            say(same, field, "answers a row alone as in a batch", apart(together[i : i + 1], alone), remedy)


@promised("field")
def check_rows_permuted(field: VelocityField, allow: Allowances) -> None:
    """Rows in another order have the same answers, in that order."""
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    for ask in asked(field, allow):
        together, turned = ask.velocity(ask.time(0.45)), ask.velocity(ask.time(0.45), order)
        remedy = "Row i of v is of row i of x: give answers back in the order of x."
        same = close(turned, together[order], ask.within)
        say(same, field, "answers rows in their own order", apart(turned, together[order]), remedy)


@promised("field")
def check_times_of_rows(field: VelocityField, allow: Allowances) -> None:
    """Each row is answered at its own time."""
    for ask in asked(field, allow):
        times = (0.1, 0.8, 0.4, 0.25, 0.9, 0.6)
        together = ask.velocity(ask.time(*times))
        for i, time in enumerate(times):
            single = ask.velocity(ask.time(time))[i : i + 1]
            remedy = "Use t row by row: adaptive solvers move each sample at a time of its own."
            same = close(together[i : i + 1], single, ask.within)
            say(same, field, "answers each row at its own t", apart(together[i : i + 1], single), remedy)


@promised("field")
def check_conditions(field: VelocityField, allow: Allowances) -> None:
    """Each row is answered for its own condition, where the check is given some."""
    if allow.condition is None:
        return
    for ask in asked(field, allow):
        together = ask.velocity(ask.time(0.45), asked=_ALL)
        for i in range(N):
            row = _ALL[i : i + 1]
            alone = ask.velocity(ask.time(0.45), row, asked=row)
            remedy = "Use batch.condition row by row."
            same = close(together[i : i + 1], alone, ask.within)
            say(same, field, "answers each row for its own condition", apart(together[i : i + 1], alone), remedy)


@promised("field")
def check_train_mode(field: VelocityField, allow: Allowances) -> None:
    """Its networks are in eval mode, or answer in the same way as if they were."""
    parts = in_training(field)
    remedy = "Call net.eval() when the field is made: dropout and batch norm make paths random or depend on the batch."
    say(not parts, field, "has its networks in eval mode", f"{', '.join(parts[:3])} train", remedy)
    still = copied(field) if any(net.training for net in inside(field, nn.Module)) else None
    if still is not None:
        for net in inside(still, nn.Module):
            net.eval()
        for one, other in zip(asked(field, allow), asked(still, allow), strict=True):
            v, evaluated = one.velocity(one.time(0.45)), other.velocity(other.time(0.45))
            same = close(v, evaluated, one.within)
            say(same, field, "answers as in eval mode", apart(v, evaluated), remedy)


@promised("field")
def check_breakpoints(field: VelocityField, allow: Allowances) -> None:
    """`breakpoints` are a tuple of times in (0, 1), `t_end` is a time in (0, 1]."""
    points, end = field.breakpoints, field.t_end
    right = isinstance(points, tuple) and all(0 < point < 1 for point in points)
    say(right, field, "has breakpoints in (0, 1)", f"they are {points!r}", "Give a tuple of times, often ().")
    say(0 < end <= 1, field, "has t_end in (0, 1]", f"it is {end!r}", "1.0, or where the field stops short.")


@promised("field")
def check_jumps(field: VelocityField, allow: Allowances) -> None:
    """A velocity that jumps in t does so at `breakpoints`, or at `t_end`."""
    if torch.float64 not in own_dtypes(field):
        return  # a jump cannot be told from rounding in a network of lower precision
    x = normal(1, *field.event_shape).to(home(field))
    condition = None if allow.condition is None else allow.condition[:1].to(x.device)

    def at(t: Tensor) -> Tensor:
        blocks = []
        for part in t.to(x.device).split(64):
            rows = torch.zeros(len(part), dtype=torch.int64, device=x.device)
            batch = Batch(rows, None if condition is None else condition[rows])
            blocks.append(field.velocity(x.expand(len(part), *x.shape[1:]).clone(), part, batch))
        return torch.cat(blocks)

    where = jump(at, (*field.breakpoints, field.t_end))
    came = f"it jumps at t = {0 if where is None else where:.6g}, breakpoints are {field.breakpoints}"
    remedy = "Add the time to `breakpoints`: adaptive solvers step onto it, others fall to order 1 there."
    say(where is None, field, "jumps at its breakpoints only", came, remedy)


@promised("field")
def check_start_and_seen(field: VelocityField, allow: Allowances) -> None:
    """`start` keeps shape and dtype of the noise and writes to none of it; `seen` gives one for each sample."""
    for ask in asked(field, allow):
        z = ask.x.clone()
        x0, seen = field.start(z, ask.batch()), field.seen(z)
        right = x0.shape == z.shape and x0.dtype == z.dtype
        came = f"start gives {tuple(x0.shape)} of {x0.dtype}"
        say(right, field, f"starts where {tuple(z.shape)} of {z.dtype} are", came, "Give z times numbers.")
        say(len(seen) == N, field, f"shows {N} of {N}", f"seen gives {len(seen)}", "One for each sample.")
        say(torch.equal(z, ask.x), field, "keeps the noise", "start or seen write to it", "Give a new tensor back.")
        alone = field.start(ask.x[2:3], ask.batch(_ALL[2:3]))
        same = close(x0[2:3], alone, ask.within)
        say(same, field, "starts a row alone as in a batch", apart(x0[2:3], alone), "Use each row's own noise.")
