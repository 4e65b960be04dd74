"""What all explicit Runge-Kutta methods on a fixed grid share."""

from __future__ import annotations

import abc
import itertools
import math
from collections.abc import Iterator

import attrs
import torch

from kinetic import Solver, Stage, Step, options
from kinetic.types import ALL, State, Velocity


@attrs.frozen
class Tableau:
    """A Butcher tableau.

    Args:
        c: when each stage is evaluated, as a share of the step; the first is 0.
        a: for each stage after the first, the weights of the stages before it.
        b: the weights of the step; they sum to 1.
        order: the order of convergence.
    """

    c: tuple[float, ...]
    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    order: int


@attrs.frozen(eq=False)
class RungeKutta(Solver):
    """An explicit Runge-Kutta method with the same steps for every sample.

    With step h from t: k_i = v(x + h sum_{j<i} a_ij k_j, t + c_i h), and x <- x + h sum_i b_i k_i.
    The grid is uniform, t_k = k/N, or cosine, t_k = (1 - cos(pi k/N))/2, which is finer at both ends.
    The state keeps the dtype of x0; times are float64.
    """

    steps: int = options.integer(50, at_least=1, doc="number of steps N")
    grid: str = options.choice("uniform", "cosine", default="uniform", doc="where the steps end")

    @property
    @abc.abstractmethod
    def tableau(self) -> Tableau:
        """The method."""

    def times(self) -> list[float]:
        """The N + 1 grid points, from exactly 0 to exactly 1."""
        shares = [k / self.steps for k in range(self.steps + 1)]
        if self.grid == "cosine":
            return [0.0, *((1 - math.cos(math.pi * share)) / 2 for share in shares[1:-1]), 1.0]
        return shares

    def solve(self, velocity: Velocity, x0: State) -> Iterator[Step]:
        method, times, x = self.tableau, self.times(), x0
        at = x0.new_tensor(times, dtype=torch.float64)[:, None].expand(-1, len(x0))
        for k, (start, stop) in enumerate(itertools.pairwise(times)):
            h = stop - start
            stages: list[Stage] = []
            for c, a, b in zip(method.c, ((), *method.a), method.b, strict=True):
                t = at[k] if c == 0 else at[k + 1] if c == 1 else at[k] + c * h
                stages.append(Stage(t, velocity(_moved_by(x, h, a, stages), t, ALL), b))
            x1 = _moved_by(x, h, method.b, stages)
            yield Step(ALL, at[k], at[k + 1], x, x1, tuple(stages))
            x = x1


def _moved_by(x: State, h: float, weights: tuple[float, ...], stages: list[Stage]) -> State:
    for weight, stage in zip(weights, stages, strict=True):
        if weight:
            x = torch.add(x, stage.v, alpha=h * weight)
    return x
