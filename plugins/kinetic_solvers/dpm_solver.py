"""DPM-Solver++(2M) in flow form."""

from __future__ import annotations

import itertools
import math
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
class DPMSolver(FixedGrid):
    """DPM-Solver++(2M) on the linear path: order 2 for one velocity a step, in log signal-to-noise time.

    Use the cosine grid. On the uniform one the steps at both ends are long in that time, and the error falls like
    h^2 log(1/h).

    With lambda(t) = log(t/(1-t)) and the data prediction D = x + (1-t) v, from t to t + h:
        x <- x + h/(1-t) (D_k + (D_k - D_{k-1})/(2r) - x),  r = (lambda_k - lambda_{k-1})/(lambda_{k+1} - lambda_k).
    lambda is infinite at both ends: there r drops out and the step is Euler's, as in the authors' code (the first two
    steps and the last). Exact where D does not change.

    Written in velocities the weights are those of v_k, v_{k-1} and the mean velocity of the step before, and sum to 1.
    The energy is integrated by the same weights, at order 2; a step's share of it may be negative.
    It never evaluates t = 1.

    Source: Lu et al., DPM-Solver++, arXiv 2211.01095, algorithm 2, with alpha = t, sigma = 1 - t.
    """

    @property
    def order(self) -> int:
        return 2

    def solve(self, velocity: Velocity, x0: State) -> Iterator[Step]:
        times, x = self.times(), x0
        at = x0.new_tensor(times, dtype=torch.float64)[:, None].expand(-1, len(x0))
        before: tuple[Stage, Stage] | None = None  # the velocity at the step before, and its mean over that step
        for k, (start, stop) in enumerate(itertools.pairwise(times)):
            now = Stage(at[k], velocity(x, at[k], ALL), 1.0)
            stages = [now]
            last = times[k - 1]
            if before is not None and last > 0 and stop < 1:
                half = 0.5 * (_log_snr(stop) - _log_snr(start)) / (_log_snr(start) - _log_snr(last))
                stages = [
                    attrs.evolve(now, weight=1 + half),
                    attrs.evolve(before[0], weight=-half * (1 - last) / (1 - start)),
                    attrs.evolve(before[1], weight=half * (start - last) / (1 - start)),
                ]
            h = stop - start
            x1 = moved_by(x, h, tuple(stage.weight for stage in stages), stages)
            yield Step(ALL, at[k], at[k + 1], x, x1, tuple(stages), (start, stop))
            before = now, Stage(0.5 * (at[k] + at[k + 1]), (x1 - x) / h, 0.0)
            x = x1


def _log_snr(t: float) -> float:
    return math.log(t / (1 - t))
