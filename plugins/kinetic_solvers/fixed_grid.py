"""What all solvers with the same steps for every sample share."""

from __future__ import annotations

import abc
from collections.abc import Sequence

import attrs
import torch
from kinetic_grids import Uniform, named

from kinetic import Solver, TimeGrid, options
from kinetic.types import PerSample, State, Velocity


@attrs.frozen(eq=False)
class FixedGrid(Solver):
    """A solver with the same N steps for every sample.

    The grid says where they end; a string is the name of one that ships. The state keeps the dtype of x0; times are
    float64.
    """

    steps: int = options.integer(50, at_least=1, at_most=10**6, doc="number of steps N")
    grid: TimeGrid = options.component(TimeGrid, Uniform(), converter=named, doc="where the steps end")

    def __attrs_post_init__(self) -> None:
        self.times()

    @property
    @abc.abstractmethod
    def order(self) -> int:
        """The order of convergence, of the state and of the energy."""

    def times(self) -> list[float]:
        """The N + 1 grid points, from exactly 0 to exactly 1."""
        return self.grid.checked(self.steps)


def moments(times: Sequence[float], velocity: Velocity, x0: State) -> list[tuple[PerSample, PerSample]]:
    """Each time as float64 `(n,)`, and in the dtype the velocity would convert it to; all made in one piece.

    A step on a grid is to cost no more than its arithmetic.
    """
    column = x0.new_tensor(times, dtype=torch.float64)[:, None]
    exact = column.expand(-1, len(x0)).unbind(0)
    clock = getattr(velocity, "clock", torch.float64)
    asked = exact if clock == torch.float64 else column.to(clock).expand(-1, len(x0)).unbind(0)
    return list(zip(exact, asked, strict=True))
