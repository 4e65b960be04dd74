"""What all explicit Runge-Kutta methods on a fixed grid share."""

from __future__ import annotations

import abc
import itertools
from collections.abc import Iterator, Sequence

import attrs
import torch

from kinetic import Stage, Step
from kinetic.errors import OptionError, shown
from kinetic.types import ALL, PerSample, State, Velocity
from kinetic_solvers.fixed_grid import FixedGrid, moments

_ROUNDING = 1e-10  # of published decimals, summed


@attrs.frozen
class Tableau:
    """A Butcher tableau.

    Args:
        c: when each stage is evaluated, as a share of the step; the first is 0.
        a: for each stage after the first, the weights of the stages before it.
        b: the weights of the step; they sum to 1.
        order: the order of convergence.
        embedded: the weights of a second rule of lower order on the same stages, or None.
    Raises:
        OptionError: it is no explicit and consistent method.
    """

    c: tuple[float, ...]
    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    order: int
    embedded: tuple[float, ...] | None = None

    def __attrs_post_init__(self) -> None:
        stages = len(self.c)
        for name, weights in (("b", self.b), ("embedded", self.embedded or self.b)):
            if len(weights) != stages or abs(sum(weights) - 1) > _ROUNDING:
                raise OptionError(f"{name!r} must be {stages} weights, one a stage, that sum to 1: {shown(weights)}")
        if [len(row) for row in self.a] != [*range(1, stages)]:
            raise OptionError(f"'a' must be {stages - 1} rows of 1, 2, ... weights: {shown(self.a)}")
        for i, (c, row) in enumerate(zip(self.c, ((), *self.a), strict=True)):
            if abs(sum(row) - c) > _ROUNDING:
                raise OptionError(f"row {i} of 'a' must sum to 'c' of its stage, {c:.6g}: {shown(row)}")
        if self.order < 1:
            raise OptionError(f"'order' must be 1 or more: {self.order}")

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
        a, b = ((), *method.a), method.b
        spans = tuple(itertools.pairwise(times))
        ends = moments(times, velocity, x0)
        at: dict[float, list[tuple[PerSample, PerSample]]] = {0: ends[:-1], 1: ends[1:]}
        for c in {*method.c} - {0, 1}:
            at[c] = moments([start + c * (stop - start) for start, stop in spans], velocity, x0)
        whens = zip(*(at[c] for c in method.c), strict=True)
        for span, when, (t1, _) in zip(spans, whens, at[1], strict=True):
            h = span[1] - span[0]
            stages: list[Stage] = []
            for i, (t, asked) in enumerate(when):
                stages.append(Stage(t, velocity(moved_by(x, h, a[i], stages) if i else x, asked, ALL), b[i]))
            x1 = moved_by(x, h, b, stages)
            yield Step(ALL, stages[0].t, t1, x, x1, tuple(stages), span)
            x = x1


def moved_by(x: State, h: float, weights: Sequence[float], stages: Sequence[Stage]) -> State:
    """x + h sum_i weight_i v_i."""
    for i, stage in enumerate(stages):
        if weight := weights[i]:
            x = torch.add(x, stage.v, alpha=h * weight)
    return x
