"""What all explicit Runge-Kutta methods on a fixed grid share."""

from __future__ import annotations

import abc
import itertools
from collections.abc import Iterator

import attrs
import torch

from kinetic import Stage, Step
from kinetic.types import ALL, PerSample, State, Velocity
from kinetic_solvers.fixed_grid import FixedGrid


@attrs.frozen
class Tableau:
    """A Butcher tableau.

    Args:
        c: when each stage is evaluated, as a share of the step; the first is 0.
        a: for each stage after the first, the weights of the stages before it.
        b: the weights of the step; they sum to 1.
        order: the order of convergence.
        embedded: the weights of a second rule of lower order on the same stages, or None.
    """

    c: tuple[float, ...]
    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    order: int
    embedded: tuple[float, ...] | None = None

    @property
    def apart(self) -> tuple[float, ...]:
        """b minus the embedded weights; zeros without any."""
        return tuple(b - other for b, other in zip(self.b, self.embedded or self.b, strict=True))


@attrs.frozen(eq=False)
class RungeKutta(FixedGrid):
    """An explicit Runge-Kutta method with the same steps for every sample.

    With step h from t: k_i = v(x + h sum_{j<i} a_ij k_j, t + c_i h), and x <- x + h sum_i b_i k_i.
    """

    @property
    @abc.abstractmethod
    def tableau(self) -> Tableau:
        """The method."""

    @property
    def order(self) -> int:
        return self.tableau.order

    def solve(self, velocity: Velocity, x0: State) -> Iterator[Step]:
        method, times, x = self.tableau, self.times(), x0
        rule = tuple(zip(((), *method.a), method.b, strict=True))
        clock = stage_times(times, method.c, x0)
        for start, stop, at in zip(times[:-1], times[1:], clock, strict=True):
            h = stop - start
            stages: list[Stage] = []
            for t, (a, b) in zip(at, rule, strict=False):
                stages.append(Stage(t, velocity(moved_by(x, h, a, stages), t, ALL), b))
            x1 = moved_by(x, h, method.b, stages)
            yield Step(ALL, at[0], at[-1], x, x1, tuple(stages), (start, stop))
            x = x1


def stage_times(times: list[float], shares: tuple[float, ...], x0: State) -> list[tuple[PerSample, ...]]:
    """For each step, the times at these shares of it and at its end, each float64 `(n,)`, made in one piece."""
    grid = [
        start if c == 0 else stop if c == 1 else start + c * (stop - start)
        for start, stop in itertools.pairwise(times)
        for c in (*shares, 1)
    ]
    table = x0.new_tensor(grid, dtype=torch.float64)[:, None].expand(-1, len(x0)).unbind(0)
    each = len(shares) + 1
    return [table[i : i + each] for i in range(0, len(table), each)]


def moved_by(x: State, h: float, weights: tuple[float, ...], stages: list[Stage]) -> State:
    """x + h sum_i weight_i v_i."""
    for weight, stage in zip(weights, stages, strict=True):
        if weight:
            x = torch.add(x, stage.v, alpha=h * weight)
    return x
