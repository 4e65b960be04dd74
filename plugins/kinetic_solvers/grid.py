"""What all solvers with the same steps for every sample share."""

from __future__ import annotations

import abc
import math

import attrs

from kinetic import Solver, options


@attrs.frozen(eq=False)
class FixedGrid(Solver):
    """A solver with the same N steps for every sample.

    The grid is uniform, t_k = k/N, or cosine, t_k = (1 - cos(pi k/N))/2, which is finer at both ends.
    The state keeps the dtype of x0; times are float64.
    """

    steps: int = options.integer(50, at_least=1, doc="number of steps N")
    grid: str = options.choice("uniform", "cosine", default="uniform", doc="where the steps end")

    @property
    @abc.abstractmethod
    def order(self) -> int:
        """The order of convergence, of the state and of the energy."""

    def times(self) -> list[float]:
        """The N + 1 grid points, from exactly 0 to exactly 1."""
        shares = [k / self.steps for k in range(self.steps + 1)]
        if self.grid == "cosine":
            return [0.0, *((1 - math.cos(math.pi * share)) / 2 for share in shares[1:-1]), 1.0]
        return shares
