"""What all adaptive Runge-Kutta methods share: each sample has its own time and its own step."""

from __future__ import annotations

import abc
import math
from collections.abc import Generator, Mapping

import attrs
import torch
from torch import Tensor

from kinetic import Column, Solver, Stage, Status, Step, options
from kinetic.errors import OptionError
from kinetic.precision import norms
from kinetic.types import ALL, PerSample, Rows, State, Velocity
from kinetic_solvers.runge_kutta import Tableau

_SAFETY, _SHRINK, _GROW = 0.9, 0.2, 10.0
_PI, _LEAST = 0.2, 1e-4  # the controller's memory of the last error, times the order, and the least it remembers


@attrs.define(eq=False)
class _Moving:
    """The samples still on their way."""

    ids: Tensor
    t: PerSample
    x: State
    k: State  # the velocity at (x, t)
    h: PerSample  # the step to try next
    trials: PerSample
    norm: PerSample  # of the last accepted step
    refused: Tensor  # whether the last trial was rejected

    def keep(self, which: Tensor) -> None:
        """Forget the others."""
        for field in attrs.fields(_Moving):
            setattr(self, field.name, getattr(self, field.name)[which])


class _Account:
    """What is known of each sample besides its steps."""

    def __init__(self, x0: State) -> None:
        names = ("accepted", "rejected", "x1_error", "kpe_error", "status", "t_end")
        self.columns = {name: x0.new_zeros(len(x0), dtype=torch.float64) for name in names}
        self.x0, self.end, self.drift = x0, x0.clone(), torch.zeros_like(x0)  # drift: x1 by one rule less the other

    def add(self, ids: Tensor, good: Tensor, error: State, step: Step | None) -> None:
        """A trial of the samples `ids`: whether it was good, its estimated error, what was accepted of it."""
        self.columns["accepted"][ids] += good
        self.columns["rejected"][ids] += ~good
        self.columns["x1_error"][ids] += torch.where(good, _rms(error), 0.0)
        if step is not None:
            self.columns["kpe_error"][step.rows] += step.energy_error.abs()
            self.drift[step.rows] += error[good]
            self.end[step.rows] = step.x1

    def closed(self) -> Mapping[str, PerSample]:
        """The columns."""
        ends = (self.end - self.x0, self.end - self.x0 - self.drift)
        far, near = (0.5 * end.double().flatten(1).square().sum(1) for end in ends)
        return self.columns | {"bending_error": self.columns["kpe_error"] + (far - near).abs()}


@attrs.frozen(eq=False)
class Adaptive(Solver):
    """An embedded Runge-Kutta pair that steps each sample by itself.

    A step of length h is accepted where the root mean square, over the elements of a sample, of
        h sum_i (b_i - b^_i) k_i / (atol + rtol max(|x|, |x1|))
    is at most 1. From that error e and the one before it, e', the next step of a pair of order p is 0.9 e^(-0.85/p)
    e'^(0.2/p) times as long, within 0.2 and 10. Samples that are done, and steps that were rejected, cost the others
    nothing. The last velocity of a step is the first of the next. Steps end on the breakpoints of a schedule and start
    anew behind them (one velocity more). A tolerance bounds the error of a step, not that of x1: the columns say what
    was reached.

    Columns, each `(n,)`:
        accepted, rejected  steps
        x1_error            sum over steps of the root mean square of the estimated error, in data units
        kpe_error           sum over steps of the difference of both rules' energies, in squared data units
        bending_error       that, and how far both rules' displacements differ at the end
        status, t_end       whether t = 1 was reached (`kinetic.Status`), and the time that was
    A sample stops on the way after `max_steps` trials, or where the smallest step its clock can tell does not meet the
    tolerance; the others go on. A clock in float32 ticks by 1.2e-7: tight tolerances want float64.

    Source: Hairer, Norsett & Wanner, Solving Ordinary Differential Equations I, II.4.
    """

    described = (
        Column("accepted", "Steps taken.", "count"),
        Column("rejected", "Steps tried and not taken.", "count", better="lower"),
        Column("kpe_error", "Estimated error of the KPE, summed over steps.", "error", "squared data units"),
        Column("bending_error", "Estimated error of the bending.", "error", "squared data units"),
        Column(
            "x1_error", "Estimated error of the sample, root mean square, summed over steps.", "error", "data units"
        ),
        Column("status", "Whether the path reached t = 1, or why not.", "label", main=False),
        Column("t_end", "The time the sample was carried to.", "label", "time", main=False),
    )
    rtol: float = options.number(1e-4, above=0, below=1, doc="relative tolerance of a step")
    atol: float = options.number(1e-4, above=0, doc="absolute tolerance of a step, in data units")
    max_steps: int = options.integer(1000, at_least=1, doc="steps tried for one sample before it stops")

    @property
    @abc.abstractmethod
    def tableau(self) -> Tableau:
        """The pair; its last stage is the end of the step, so that it can be the first of the next."""

    def __attrs_post_init__(self) -> None:
        method = self.tableau
        if method.embedded is None or method.c[-1] != 1 or (*method.a[-1], 0) != method.b:
            raise OptionError(
                f"the tableau of {type(self).__name__} must have embedded weights, and a last stage that is the end of "
                "the step: c = 1, its row of `a` is `b`, and `b` ends with 0\n  Append the end of the step as a stage."
            )

    def solve(self, velocity: Velocity, x0: State) -> Generator[Step, None, Mapping[str, PerSample]]:
        method, n = self.tableau, len(x0)
        apart = method.apart
        least = 4 * torch.finfo(torch.float32 if x0.element_size() == 2 else x0.dtype).eps
        stops = x0.new_tensor(_stops(velocity, least), dtype=torch.float64)
        zeros = x0.new_zeros(n, dtype=torch.float64)
        account = _Account(x0)
        k = velocity(x0, zeros, ALL)
        first = self._first_step(velocity, x0, k)
        now = _Moving(torch.arange(n, device=x0.device), zeros, x0, k, first, zeros, zeros + _LEAST, zeros.bool())
        while len(now.ids):
            rows: Rows = ALL if len(now.ids) == n else now.ids
            goal = stops[torch.searchsorted(stops, now.t, right=True)]
            room = goal - now.t
            lands = now.h >= room
            dt = torch.where(lands, room, torch.minimum(now.h, torch.where(2 * now.h > room, 0.5 * room, room)))
            t1 = torch.where(lands, goal, now.t + dt)
            # stages stay on this side of a breakpoint
            limit = torch.where(goal < 1, torch.maximum(goal - least, now.t), goal)
            x1, stages = _stages(method, velocity, now, dt, t1, limit, rows)
            error = _combined(apart, stages) * _wide(dt, now.x)
            tolerated = torch.maximum(now.x.abs(), x1.abs()).mul_(self.rtol).add_(self.atol)
            norm = _rms(error / tolerated).nan_to_num(nan=math.inf)
            good = norm <= 1
            factor = _factor(norm, good, now, method.order)
            step = _accepted(Step(rows, now.t, t1, now.x, x1, tuple(stages)), now.ids, good)
            if step is not None:
                yield step
            account.add(now.ids, good, error, step)
            h = torch.where(good, torch.maximum(dt * factor, now.h * (dt < now.h)), (dt * factor).clamp_min(least))
            stuck = ~good & (dt <= least)
            after = _Moving(
                now.ids,
                torch.where(good, t1, now.t),
                _chosen(good, x1, now.x),
                _chosen(good, stages[-1].v, now.k),
                h,
                now.trials + 1,
                torch.where(good, norm.clamp_min(_LEAST), now.norm),
                ~good,
            )
            ended, spent = after.t >= 1, after.trials >= self.max_steps
            account.columns["t_end"][now.ids] = after.t
            # a velocity that is not finite is no question of tolerance: the Runner names it
            gave_up = torch.where(stuck & norm.isfinite(), int(Status.STEP_SIZE), 0)
            status = torch.where(~ended & spent & ~stuck & norm.isfinite(), int(Status.STEP_LIMIT), gave_up)
            account.columns["status"][now.ids] = status.double()
            anew = good & lands & ~ended
            now = after
            if bool(anew.any()):
                now.k = now.k.clone()
                now.k[anew] = velocity(now.x[anew], now.t[anew], now.ids[anew])
            over = ended | spent | stuck
            if bool(over.any()):
                now.keep(~over)
        return account.closed()

    def _first_step(self, velocity: Velocity, x0: State, k: State) -> PerSample:
        """The starting step of Hairer, Norsett & Wanner; it costs one velocity."""
        tolerated = x0.abs().mul_(self.rtol).add_(self.atol)
        far, fast = _rms(x0 / tolerated), _rms(k / tolerated)
        h = torch.where((far > 1e-5) & (fast > 1e-5), 0.01 * far / fast, 1e-6).clamp_max(0.1)
        turn = _rms((velocity(x0 + _wide(h, x0) * k, h, ALL) - k) / tolerated) / h
        most = torch.maximum(fast, turn)
        longer = torch.where(most > 1e-15, (0.01 / most).pow(1 / self.tableau.order), (1e-3 * h).clamp_min(1e-6))
        return torch.minimum(100 * h, longer).nan_to_num(nan=1e-3).clamp(1e-6, 1)


def _factor(norm: PerSample, good: Tensor, now: _Moving, order: int) -> PerSample:
    """How much longer the next step is; none longer after a rejection."""
    share, memory = 1 / order, _PI / order
    plain = _SAFETY * norm.pow(-share)
    steady = _SAFETY * norm.clamp_min(_LEAST**2).pow(0.75 * memory - share) * now.norm.pow(memory)
    most = torch.where(now.refused | ~good, 1.0, _GROW)
    return torch.minimum(torch.where(good, steady, plain).clamp_min(_SHRINK), most)


def _stops(velocity: Velocity, least: float) -> list[float]:
    """Where steps must end: the breakpoints and 1."""
    points = sorted(p for p in getattr(velocity, "breakpoints", ()) if least < p < 1 - least)
    return [*points, 1.0]


def _stages(
    method: Tableau, velocity: Velocity, now: _Moving, dt: PerSample, t1: PerSample, limit: PerSample, rows: Rows
) -> tuple[State, list[Stage]]:
    """The end of the step and all its velocities."""
    h, x1 = _wide(dt, now.x), now.x
    embedded = method.embedded or method.b
    stages = [Stage(now.t, now.k, method.b[0], embedded[0])]
    for c, a, b, other in zip(method.c[1:], method.a, method.b[1:], embedded[1:], strict=True):
        when = torch.minimum(t1 if c == 1 else now.t + c * dt, limit)
        slope = _combined(a, stages)
        x1 = torch.addcmul(now.x.to(slope.dtype), h.to(slope.dtype), slope).to(now.x.dtype)
        stages.append(Stage(when, velocity(x1, when, rows), b, other))
    return x1, stages


def _combined(weights: tuple[float, ...], stages: list[Stage]) -> State:
    """sum_i weight_i v_i, in float32 where v is of lower precision: weights reach 11."""
    low = stages[0].v.element_size() == 2
    chosen = [(w, stage.v.float() if low else stage.v) for w, stage in zip(weights, stages, strict=True) if w]
    total = chosen[0][1] * chosen[0][0]
    for weight, v in chosen[1:]:
        total.add_(v, alpha=weight)
    return total


def _accepted(step: Step, ids: Tensor, good: Tensor) -> Step | None:
    """The part of the step that was accepted."""
    if bool(good.all()):
        return step
    if not bool(good.any()):
        return None
    stages = tuple(attrs.evolve(stage, t=stage.t[good], v=stage.v[good]) for stage in step.stages)
    return Step(ids[good], step.t0[good], step.t1[good], step.x0[good], step.x1[good], stages)


def _chosen(good: Tensor, new: State, old: State) -> State:
    return torch.where(_wide(good, new, cast=False), new, old)


def _wide(value: PerSample, like: State, cast: bool = True) -> Tensor:
    """A number per sample, to be multiplied with a state."""
    value = value.to(like.dtype) if cast else value
    return value.view(-1, *[1] * (like.dim() - 1))


def _rms(x: State) -> PerSample:
    """Root mean square over the elements of each sample, float64 `(m,)`."""
    return norms(x) / math.sqrt(max(1, x.shape[1:].numel()))
