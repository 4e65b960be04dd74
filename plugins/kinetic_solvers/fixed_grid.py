"""What all solvers with the same steps for every sample share."""

from __future__ import annotations

import abc

import attrs
from kinetic_grids import Uniform, named

from kinetic import Solver, TimeGrid, options


@attrs.frozen(eq=False)
class FixedGrid(Solver):
    """A solver with the same N steps for every sample.

    The grid says where they end; a string is the name of one that ships. The state keeps the dtype of x0; times are
    float64.
    """

    steps: int = options.integer(50, at_least=1, doc="number of steps N")
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
