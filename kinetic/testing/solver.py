"""What a solver promises of its steps; `order` has what it promises of their errors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kinetic._roles.solver import Solver
from kinetic._sample.columns import RESERVED
from kinetic.testing.check import Allowances, promised, say
from kinetic.testing.probe import EXACT, N, apart, close, normal
from kinetic.testing.walk import Walk, bend, noise, walk


@promised("solver")
def check_x0_kept(solver: Solver, allow: Allowances) -> None:
    """The noise x0 is not written to."""
    x0 = noise()
    kept = x0.clone()
    for _ in solver.solve(bend, x0):
        pass
    say(torch.equal(x0, kept), solver, "keeps x0", "it writes to it", "Write x = x + ..., not x += ... or x.add_().")


@promised("solver")
def check_asks(solver: Solver, allow: Allowances) -> None:
    """Velocities are asked for at points of x0's event shape and times in [0, 1], float64, one for each row."""
    x0 = noise()
    remedy = "Ask velocity(x, t, rows) with x (m, *event), t (m,) float64, for the m samples of rows."
    for x, t, rows, _ in walk(solver, bend, x0).asked:
        m = len(torch.arange(N)[rows])
        fits = x.shape == (m, 3) and t.shape == (m,)
        say(fits, solver, f"asks for {m} rows", f"x is {tuple(x.shape)}, t {tuple(t.shape)}", remedy)
        say(t.dtype == torch.float64, solver, "asks at times in float64", f"they are {t.dtype}", remedy)
        inside = bool(((t >= 0) & (t <= 1)).all())
        say(inside, solver, "asks at times in [0, 1]", f"t is {t.tolist()}", "Cut the last step at t = 1.")


@promised("solver")
def check_steps_join(solver: Solver, allow: Allowances) -> None:
    """Steps go forward from t = 0 without gaps, each from where the one before it ended."""
    x0 = noise()
    x, clock = x0.clone(), torch.zeros(N, dtype=torch.float64)
    for step in walk(solver, bend, x0).steps:
        came = f"the step begins at {step.t0.tolist()}, the one before it ended at {clock[step.rows].tolist()}"
        say(close(step.t0, clock[step.rows], EXACT), solver, "leaves no gap in time", came, "Let t0 be the last t1.")
        forward = bool((step.t1 > step.t0).all())
        say(forward, solver, "goes forward", f"t0 {step.t0.tolist()}, t1 {step.t1.tolist()}", "Let t1 be larger.")
        joins = close(step.x0, x[step.rows], EXACT)
        say(joins, solver, "begins a step where the last one ended", "it begins elsewhere", "Let x0 be the last x1.")
        x[step.rows], clock[step.rows] = step.x1, step.t1


@promised("solver")
def check_ends(solver: Solver, allow: Allowances) -> None:
    """Paths end at t = 1, or at the `t_end` that the solver returns."""
    done = walk(solver, bend, noise())
    came = f"they end at {done.clock.tolist()}"
    remedy = "Walk to t = 1, or return {'t_end': (n,)} where it stops short on purpose."
    say(close(done.clock, done.end, EXACT), solver, f"carries samples to t = {done.end.tolist()}", came, remedy)


@promised("solver")
def check_weights(solver: Solver, allow: Allowances) -> None:
    """The weights of the stages of a step sum to 1."""
    for step in walk(solver, bend, noise()).steps:
        total = sum(stage.weight for stage in step.stages)
        right = abs(total - 1) < EXACT
        say(right, solver, "has stage weights that sum to 1", f"they sum to {total}", "Give Butcher's b as weights.")


@promised("solver")
def check_step_is_its_stages(solver: Solver, allow: Allowances) -> None:
    """x1 = x0 + dt sum_i weight_i v_i for every step."""
    for step in walk(solver, bend, noise()).steps:
        slope = sum((stage.v * stage.weight for stage in step.stages), torch.zeros_like(step.x0))
        moved = step.x0 + step.dt.view(-1, 1) * slope
        remedy = "Yield all velocities the step used with their weights, and its x1 unchanged."
        say(close(step.x1, moved, EXACT), solver, "has x1 = x0 + dt sum w v", apart(step.x1, moved), remedy)


@promised("solver")
def check_stages_asked(solver: Solver, allow: Allowances) -> None:
    """Each stage is a velocity as it was given, no mean of several."""
    done = walk(solver, bend, noise())
    given = _times_of(done)
    for step in done.steps:
        for stage in step.stages:
            known = all(row in given for row in _keys(stage.v))
            remedy = "A Stage for each velocity, with its weight: energies are squares, and a mean has another."
            say(known, solver, "yields velocities it was given", "one of its stages is none", remedy)


@promised("solver")
def check_stage_times(solver: Solver, allow: Allowances) -> None:
    """`Stage.t` is the time at which its velocity was asked for."""
    done = walk(solver, bend, noise())
    given = _times_of(done)
    for step in done.steps:
        for stage in step.stages:
            for key, t in zip(_keys(stage.v), stage.t.tolist(), strict=True):
                times = given.get(key, [t])
                came = f"a velocity of t = {times[0]:.6g} stands in a stage of t = {t:.6g}"
                right = any(abs(t - time) < EXACT for time in times)
                say(right, solver, "says when its velocities were", came, "Give Stage the t of the call.")


@promised("solver")
def check_rows_asked(solver: Solver, allow: Allowances) -> None:
    """The `rows` of a call are the samples whose x and t it gives."""
    x0, drift = noise(), normal(N, 3, seed=1)
    done = walk(solver, lambda x, t, rows: drift[rows], x0)
    expected = x0 + done.clock[:, None] * drift
    right = close(done.final, expected, 1e-5)
    remedy = "Where x are some samples, give their indices as rows; slice(None) means all, in order."
    say(right, solver, "moves each sample by its own velocity", apart(done.final, expected), remedy)


@promised("solver")
def check_straight(solver: Solver, allow: Allowances) -> None:
    """A constant velocity is integrated exactly, and so is its energy."""
    x0, drift = noise(), normal(1, 3, seed=2)
    done = walk(solver, lambda x, t, rows: drift.expand_as(x), x0)
    expected = x0 + done.clock[:, None] * drift
    remedy = "Let the steps cover the time once, with weights that sum to 1; `span` is (t0, t1)."
    right = close(done.final, expected, 1e-5)
    say(right, solver, "integrates a constant velocity exactly", apart(done.final, expected), remedy)
    energy = 0.5 * done.clock * drift.square().sum()
    right = close(done.energy, energy, EXACT)
    say(right, solver, "weighs a straight path exactly", apart(done.energy, energy), remedy)


@promised("solver")
def check_rows_alone(solver: Solver, allow: Allowances) -> None:
    """A sample is moved alone as it is moved in a batch."""
    x0 = noise()
    together = walk(solver, bend, x0).final
    for i in range(N):
        alone = walk(solver, bend, x0[i : i + 1]).final
        remedy = "No mean, maximum or step size over the batch: each sample by itself."
        same = close(together[i : i + 1], alone, EXACT)
        say(same, solver, "moves a sample alone as in a batch", apart(together[i : i + 1], alone), remedy)


@promised("solver")
def check_rows_permuted(solver: Solver, allow: Allowances) -> None:
    """Samples in another order are moved in the same way."""
    x0, order = noise(), torch.tensor([3, 0, 5, 1, 4, 2])
    together, turned = walk(solver, bend, x0).final, walk(solver, bend, x0[order]).final
    remedy = "A sample's number in the batch means nothing: let no step depend on it."
    same = close(turned, together[order], EXACT)
    say(same, solver, "moves samples in any order alike", apart(turned, together[order]), remedy)


@promised("solver")
def check_dtype_kept(solver: Solver, allow: Allowances) -> None:
    """States in float32 stay float32: those it asks at, and those it yields."""
    done = walk(solver, bend, noise().float())
    came = {x.dtype for x, *_ in done.asked} | {step.x1.dtype for step in done.steps}
    remedy = "Times are float64: multiply v by dt.to(x.dtype), or by a Python number."
    say(came == {torch.float32}, solver, "keeps float32", f"there are {_listed(came)}", remedy)


@promised("solver")
def check_shape_kept(solver: Solver, allow: Allowances) -> None:
    """States of any shape keep it: a column (n, 1) or images (n, channel, height, width)."""
    for shape in ((1,), (1, 2, 3)):
        x0 = 0.5 * normal(N, *shape)
        done = walk(solver, bend, x0)
        came = {tuple(step.x1.shape[1:]) for step in done.steps} | {tuple(x.shape[1:]) for x, *_ in done.asked}
        remedy = "Per-sample numbers (m,) are multiplied as dt.view(-1, *[1] * (x.dim() - 1))."
        say(came == {shape}, solver, f"keeps samples of {shape}", f"there are {_listed(came)}", remedy)
        flat = walk(solver, bend, x0.flatten(1)).final
        say(close(done.final.flatten(1), flat, 1e-9), solver, "moves images as it moves vectors", "they differ", remedy)


@promised("solver")
def check_columns(solver: Solver, allow: Allowances) -> None:
    """What it returns are columns (n,), described, and none that is the Runner's own."""
    remedy = "Return {name: (n,)} at the end of `solve`, and describe each name by a kinetic.Column in `described`."
    known = {column.name for column in solver.described if column.says}
    for name, column in walk(solver, bend, noise()).columns.items():
        say(name not in RESERVED, solver, "gives columns of its own", f"{name!r} is the Runner's", "Name it otherwise.")
        came = f"{name!r} is {tuple(column.shape)}"
        say(tuple(column.shape) == (N,), solver, f"gives columns of {N} numbers", came, remedy)
        own = name in known or name in ("status", "t_end")
        say(own, solver, "describes its columns", f"{name!r} is described by nothing", remedy)


def _times_of(done: Walk) -> dict[tuple[float, ...], list[float]]:
    """The times at which each velocity was given."""
    given: dict[tuple[float, ...], list[float]] = {}
    for _, t, _, v in done.asked:
        for key, time in zip(_keys(v), t.tolist(), strict=True):
            given.setdefault(key, []).append(time)
    return given


def _keys(v: Tensor) -> list[tuple[float, ...]]:
    return [tuple(row) for row in v.flatten(1).tolist()]


def _listed(values: Any) -> str:
    return ", ".join(sorted(map(str, values)))
