"""A gain that leaves no noise."""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import final

import attrs
import numpy as np
import torch
from torch import Tensor

from kinetic import Schedule, Solver, options
from kinetic.errors import OptionError
from kinetic.types import PerSample, Rows, State

_NODES = 64  # of Gauss-Legendre's rule, between two breakpoints


@final
@attrs.frozen(eq=False)
class Normalised(Schedule):
    """gain(t) / I, with I = int gain dt of another schedule of time alone: the mean gain is 1, and no noise is left.

    What is left of a landing is its shape: earlier velocities make up for what it holds back. I is the integral itself,
    or with `solver` the sum that this solver makes of it on its own grid, by which the Runner tells leftover noise.

    Args:
        schedule: whose gain; it looks at t alone.
        solver: the solver of the run, for a mean gain of 1 on its grid to the last digit.
    """

    schedule: Schedule = options.component(Schedule, doc="whose gain")
    solver: Solver | None = options.component(Solver, None, doc="the solver of the run, for I on its own grid")

    def __attrs_post_init__(self) -> None:
        if self.schedule.adaptive:
            raise OptionError(
                f"'schedule' must have a gain of t alone, whose integral is known before a path is walked: "
                f"{type(self.schedule).__name__} looks at x or v"
            )
        if self._mean <= 0:
            raise OptionError(f"'schedule' must have a mean gain above 0 to be divided by: {self._mean:g}")

    @property
    def breakpoints(self) -> tuple[float, ...]:
        return self.schedule.breakpoints

    def gain(self, t: PerSample, x: State, v: State) -> PerSample:
        return self.schedule.gain(t, x, v) / self._mean

    @cached_property
    def _mean(self) -> float:
        return self._integral() if self.solver is None else self._on_grid(self.solver)

    def _at(self, t: Tensor) -> Tensor:
        nothing = torch.zeros(len(t), 1, dtype=t.dtype, device=t.device)
        return self.schedule.gain(t, nothing, nothing)

    def _integral(self) -> float:
        nodes, weights = (torch.from_numpy(each) for each in np.polynomial.legendre.leggauss(_NODES))
        total = 0.0
        for start, stop in itertools.pairwise((0.0, *sorted(self.breakpoints), 1.0)):
            half = 0.5 * (stop - start)
            total += half * float((weights * self._at(start + half * (nodes + 1))).sum())
        return total

    def _on_grid(self, solver: Solver) -> float:
        """x1 of dx/dt = gain(t) from 0."""
        x = torch.zeros(1, 1, dtype=torch.float64)
        for step in solver.solve(_Gain(self), x):
            x = step.x1
        return float(x)


@attrs.frozen(eq=False)
class _Gain:
    """The gain as a velocity of one number."""

    schedule: Normalised

    @property
    def breakpoints(self) -> tuple[float, ...]:
        return self.schedule.breakpoints

    def __call__(self, x: State, t: PerSample, rows: Rows) -> State:
        return self.schedule._at(t.double())[:, None]
