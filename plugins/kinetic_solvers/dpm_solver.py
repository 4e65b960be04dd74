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
from kinetic_solvers.fixed_grid import FixedGrid, moments
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

    Written in velocities a step weighs v_k, v_{k-1}, and, since D_k - D_{k-1} holds x_k - x_{k-1}, all that the step
    before weighed, those times (t_k - t_{k-1})/(2r (1 - t_k)). So it weighs every velocity back to the second, by
    weights that sum to 1 and fall fast with age. Those below the rounding of x are left out, so that a step holds about
    five velocities in float32 and ten in float64, and near t = 1 up to twice as many.
    The energy is integrated by the same weights, at order 2; a step's share of it may be negative.
    It never evaluates t = 1.

    Source: Lu et al., DPM-Solver++, arXiv 2211.01095, algorithm 2, with alpha = t, sigma = 1 - t.
    """

    @property
    def order(self) -> int:
        return 2

    def solve(self, velocity: Velocity, x0: State) -> Iterator[Step]:
        times, x = self.times(), x0
        ends = moments(times, velocity, x0)
        least = torch.finfo(torch.float32 if x0.element_size() == 2 else x0.dtype).eps
        stages: list[Stage] = []
        for k, (start, stop) in enumerate(itertools.pairwise(times)):
            t, asked = ends[k]
            older = _extrapolated(stages, times[k - 1 : k + 2], least) if k > 1 and stop < 1 else []
            stages = [Stage(t, velocity(x, asked, ALL), 1 - sum(stage.weight for stage in older)), *older]
            x1 = moved_by(x, stop - start, [stage.weight for stage in stages], stages)
            yield Step(ALL, t, ends[k + 1][0], x, x1, tuple(stages), (start, stop))
            x = x1


def _extrapolated(before: list[Stage], times: list[float], least: float) -> list[Stage]:
    """What the velocities of a step weigh in the next, the newest first; `times` are the ends of both steps."""
    last, start, stop = times
    half = 0.5 * (_log_snr(stop) - _log_snr(start)) / (_log_snr(start) - _log_snr(last))
    weights = [half * (start - last) / (1 - start) * stage.weight for stage in before]
    weights[0] -= half * (1 - last) / (1 - start)
    kept = zip(before, weights, strict=True)
    return [stage.weighed(weight) for stage, weight in kept if abs(weight) >= least]


def _log_snr(t: float) -> float:
    return math.log(t / (1 - t))
