"""What all explicit Runge-Kutta methods on a fixed grid share."""

from __future__ import annotations

import abc
import itertools
from collections.abc import Iterator

import attrs
import torch

from kinetic import Stage, Step
from kinetic.types import ALL, State, Velocity
from kinetic_solvers.grid import FixedGrid


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
        at = x0.new_tensor(times, dtype=torch.float64)[:, None].expand(-1, len(x0))
        for k, (start, stop) in enumerate(itertools.pairwise(times)):
            h = stop - start
            stages: list[Stage] = []
            for c, a, b in zip(method.c, ((), *method.a), method.b, strict=True):
                t = at[k] if c == 0 else at[k + 1] if c == 1 else at[k] + c * h
                stages.append(Stage(t, velocity(moved_by(x, h, a, stages), t, ALL), b))
            x1 = moved_by(x, h, method.b, stages)
            yield Step(ALL, at[k], at[k + 1], x, x1, tuple(stages))
            x = x1


def moved_by(x: State, h: float, weights: tuple[float, ...], stages: list[Stage]) -> State:
    """x + h sum_i weight_i v_i."""
    for weight, stage in zip(weights, stages, strict=True):
        if weight:
            x = torch.add(x, stage.v, alpha=h * weight)
    return x
