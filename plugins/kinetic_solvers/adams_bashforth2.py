"""The two-step method of Adams and Bashforth."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import final

import attrs

from kinetic import Stage, Step
from kinetic.types import ALL, State, Velocity
from kinetic_solvers.fixed_grid import FixedGrid, moments
from kinetic_solvers.runge_kutta import moved_by


@final
@attrs.frozen(eq=False)
class AdamsBashforth2(FixedGrid):
    """The two-step Adams-Bashforth method: order 2 for one velocity a step, and one more for the first step.

    x_{k+1} = x_k + h_k [ (1 + r/2) v_k - r/2 v_{k-1} ],  r = h_k / h_{k-1};  the first step is the midpoint method's.
    The energy is integrated by the same weights, so at order 2 too; a step's share of it may be negative.
    It never evaluates t = 1.

    Source: Hairer, Norsett & Wanner, Solving Ordinary Differential Equations I, III.5.
    """

    @property
    def order(self) -> int:
        return 2

    def solve(self, velocity: Velocity, x0: State) -> Iterator[Step]:
        times, x = self.times(), x0
        ends = moments(times, velocity, x0)
        first = 0.5 * times[1]
        [(middle, at_middle)] = moments([first], velocity, x0)
        before: Stage | None = None
        h_before = 0.0
        for span, (t0, at), (t1, _) in zip(itertools.pairwise(times), ends, ends[1:], strict=False):
            h = span[1] - span[0]
            v = velocity(x, at, ALL)
            if before is None:
                stages = [Stage(t0, v, 0.0)]
                stages.append(Stage(middle, velocity(moved_by(x, first, (1.0,), stages), at_middle, ALL), 1.0))
            else:
                half = 0.5 * h / h_before
                stages = [Stage(t0, v, 1 + half), before.weighed(-half)]
            x1 = moved_by(x, h, [stage.weight for stage in stages], stages)
            yield Step(ALL, t0, t1, x, x1, tuple(stages), span)
            x, before, h_before = x1, stages[0], h
