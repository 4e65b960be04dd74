"""The two-step method of Adams and Bashforth."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import final

import attrs
import torch

from kinetic import Stage, Step
from kinetic.types import ALL, State, Velocity
from kinetic_solvers.fixed_grid import FixedGrid
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
        at = x0.new_tensor(times, dtype=torch.float64)[:, None].expand(-1, len(x0))
        before: Stage | None = None
        h_before = 0.0
        for k, (start, stop) in enumerate(itertools.pairwise(times)):
            h = stop - start
            now = Stage(at[k], velocity(x, at[k], ALL), 0.0)
            if before is None:
                middle = at[k] + 0.5 * h
                stages = [now, Stage(middle, velocity(moved_by(x, 0.5 * h, (1.0,), [now]), middle, ALL), 1.0)]
            else:
                half = 0.5 * h / h_before
                stages = [attrs.evolve(now, weight=1 + half), attrs.evolve(before, weight=-half)]
            x1 = moved_by(x, h, tuple(stage.weight for stage in stages), stages)
            yield Step(ALL, at[k], at[k + 1], x, x1, tuple(stages), (start, stop))
            x, before, h_before = x1, now, h
