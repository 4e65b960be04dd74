"""One walk of a solver: all that it did, on a flow that is known."""

from __future__ import annotations

import attrs
import torch
from torch import Tensor

from kinetic._roles.solver import Solver, Step
from kinetic._sample.integrate import Trajectory
from kinetic.testing.probe import N, normal
from kinetic.types import Rows, Velocity


@attrs.frozen(eq=False)
class Walk:
    """All that a solver did: its steps and columns, and each velocity it asked for as (x, t, rows, v)."""

    steps: tuple[Step, ...]
    columns: dict[str, Tensor]
    asked: tuple[tuple[Tensor, Tensor, Rows, Tensor], ...]
    final: Tensor
    clock: Tensor

    @property
    def energy(self) -> Tensor:
        """The kinetic energy of each sample."""
        total = torch.zeros(len(self.final), dtype=torch.float64)
        for step in self.steps:
            total[step.rows] += step.energy
        return total

    @property
    def end(self) -> Tensor:
        """Where it says that each sample stopped."""
        return self.columns.get("t_end", torch.ones_like(self.clock)).double()


def walk(solver: Solver, velocity: Velocity, x0: Tensor) -> Walk:
    """Let the solver walk."""
    asked: list[tuple[Tensor, Tensor, Rows, Tensor]] = []

    def ask(x: Tensor, t: Tensor, rows: Rows) -> Tensor:
        v = velocity(x, t, rows)
        asked.append((x, t, rows, v))
        return v

    x, clock = x0.clone(), torch.zeros(len(x0), dtype=torch.float64)
    trajectory, steps = Trajectory(solver.solve(ask, x0.clone())), []
    for step in trajectory:
        steps.append(step)
        x[step.rows], clock[step.rows] = step.x1.to(x.dtype), step.t1.double()
    return Walk(tuple(steps), dict(trajectory.columns), tuple(asked), x, clock)


def bend(x: Tensor, t: Tensor, rows: Rows) -> Tensor:
    """dx/dt = (1 + t) sin x, by which tan(x/2) = tan(x0/2) exp(t + t^2/2)."""
    return torch.sin(x) * (1 + t).to(x.dtype).view(-1, *[1] * (x.dim() - 1))


def noise(n: int = N) -> Tensor:
    """Where paths begin, within (-2, 2)."""
    return 2 * torch.tanh(normal(n, 3))
