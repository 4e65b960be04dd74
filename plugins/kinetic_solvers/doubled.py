"""A fixed-step solver with an error bar."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from typing import final

import attrs
import torch
from kinetic_grids import Given

from kinetic import Column, Solver, Step, options
from kinetic.errors import OptionError
from kinetic.types import PerSample, State, Velocity
from kinetic_solvers.fixed_grid import FixedGrid


@final
@attrs.frozen(eq=False)
class Doubled(Solver):
    """A solver on a fixed grid, and once more on a grid `every` times as coarse, which tells the error of the first.

    With order p and an error C h^p, a number E and its coarse twin differ by C h^p (every^p - 1), so that
        |E_coarse - E| / (every^p - 1)
    estimates the whole error of E: that of the quadrature and that of the path. Samples and energies are those of the
    fine grid. The coarse one has every `every`-th of its times, so that any grid will do. It costs 1/every more
    velocities. The estimate is only as good as the grid is fine: it wants errors that already shrink at the order of
    the method.

    Columns, each `(n,)`:
        kpe_error, bending_error  of the energy and of its bending part, in squared data units
        x1_error                  of x1, root mean square over its elements, in data units

    Source: Richardson's extrapolation; Hairer, Norsett & Wanner, Solving Ordinary Differential Equations I, II.4.
    """

    described = (
        Column("kpe_error", "Error of the KPE, by a coarser grid.", "error", "squared data units"),
        Column("bending_error", "Error of the bending, by a coarser grid.", "error", "squared data units"),
        Column("x1_error", "Error of the sample by a coarser grid, root mean square.", "error", "data units"),
    )
    solver: FixedGrid = options.component(Solver, doc="the solver, on its fine grid")
    every: int = options.integer(2, at_least=2, doc="how many times fewer steps the coarse grid has")

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.solver, FixedGrid):
            raise OptionError(f"'solver' must be one on a fixed grid: {type(self.solver).__name__} is not")
        if self.solver.steps % self.every:
            raise OptionError(f"'steps' must be a multiple of 'every' = {self.every}: {self.solver.steps}")

    def solve(self, velocity: Velocity, x0: State) -> Generator[Step, None, Mapping[str, PerSample]]:
        coarse = attrs.evolve(
            self.solver, steps=self.solver.steps // self.every, grid=Given(self.solver.times()[:: self.every])
        )
        energy, coarse_end = x0.new_zeros(len(x0), dtype=torch.float64), x0
        for step in coarse.solve(velocity, x0):
            energy[step.rows] += step.energy
            coarse_end = step.x1
        end = x0
        for step in self.solver.solve(velocity, x0):
            energy[step.rows] -= step.energy
            end = step.x1
            yield step
        shrinks = self.every**self.solver.order - 1
        straight = [0.5 * _norm(x1 - x0).square() for x1 in (coarse_end, end)]
        return {
            "kpe_error": energy.abs() / shrinks,
            "bending_error": (energy - (straight[0] - straight[1])).abs() / shrinks,
            "x1_error": _norm(coarse_end - end) / math.sqrt(max(1, x0.shape[1:].numel())) / shrinks,
        }


def _norm(x: State) -> PerSample:
    return torch.linalg.vector_norm(x.double().flatten(1), dim=1)
