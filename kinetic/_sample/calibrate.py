"""The density of a calibrated grid, measured on paths of many short steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, final

import attrs
import torch
from torch import Tensor
from torch.nn.functional import conv1d

from kinetic import options
from kinetic._roles.calibrated import CalibratedGrid, check_density
from kinetic._roles.meter import EnergyMeter
from kinetic._roles.solver import Solver, Stage, Step
from kinetic._sample.runner import Runner
from kinetic.errors import OptionError, within
from kinetic.types import ALL, State, Velocity

_ACCOUNT = "counted"
_REACH = 4  # standard deviations of the Gaussian that smooths


def measured(
    runner: Runner,
    grid: type[CalibratedGrid],
    paths: int,
    fine: int,
    smoothing: float,
    remark: Callable[[str], None] = lambda note: None,
    **asked: Any,
) -> Tensor:
    """The density of steps that a grid asks for along the paths of a runner's field, shaped by its schedule.

    The paths are walked by Euler's method in `fine` equal steps.

    Args:
        runner: field and schedule; its solver, meters and metrics take no part.
        grid: the class of the grid.
        paths: how many are walked.
        fine: K, how many intervals of time the density has.
        smoothing: the standard deviation of a Gaussian that the density is smoothed by, in units of time; 0 for none.
        remark: told what a reader should know, such as paths that were left out since they are not finite.
        asked: the other arguments of `Runner.run`.
    Returns:
        `(K,)` float64, of mean 1.
    Raises:
        OptionError: a number out of range, a field that stops short, or a density that is 0 everywhere.
    """
    fine = options.check_integer("'fine'", fine, at_least=3)
    if runner.field.t_end < 1:
        raise OptionError(
            f"{type(runner.field).__name__} stops at t = {runner.field.t_end:g}, where its velocity breaks off: a grid "
            "is calibrated on paths that go on to t = 1"
        )
    walker = attrs.evolve(runner, solver=ShortSteps(fine), meters={"calibration": _Counter(grid, fine)}, metrics={})
    run = walker.run(paths, **asked)
    for note in run.notes:
        remark(note)
    counts = run.energy[_ACCOUNT][run.finite].mean(0)
    with within(grid.__name__):
        density = check_density(grid.density(counts).clamp_min(0).tolist(), "the density along these paths")
    density = smoothed(density, smoothing * fine)
    return density / density.mean()


@final
@attrs.frozen(eq=False)
class ShortSteps(Solver):
    """Euler's method in equal steps, each of which knows the velocity at its end too.

    At t = 1, where a field may be singular, none is asked: the last step has that at its start once more.
    """

    steps: int = options.integer(200, at_least=1, doc="number of steps")

    def solve(self, velocity: Velocity, x0: State) -> Iterator[Step]:
        times = x0.new_tensor([k / self.steps for k in range(self.steps + 1)], dtype=torch.float64)
        moments = times[:, None].expand(-1, len(x0)).unbind(0)
        x, here = x0, Stage(moments[0], velocity(x0, moments[0], ALL), 1.0)
        for k in range(self.steps):
            span = (k / self.steps, (k + 1) / self.steps)
            x1 = torch.add(x, here.v, alpha=span[1] - span[0])
            last = k + 1 == self.steps
            after = here.weighed(0.0) if last else Stage(moments[k + 1], velocity(x1, moments[k + 1], ALL), 0.0)
            yield Step(ALL, moments[k], moments[k + 1], x, x1, (here, after), span)
            x, here = x1, after.weighed(1.0)


@final
@attrs.frozen(eq=False)
class _Counter(EnergyMeter):
    """What a grid counts on each of K equal intervals of time, `(n, K)`."""

    grid: type[CalibratedGrid]
    fine: int

    def adds(self, step: Step) -> Mapping[str, Tensor]:
        counted = step.dt.new_zeros(len(step.dt), self.fine)
        if len(step.dt):
            counted[:, round(float(step.t0[0]) * self.fine)] = self.grid.adds(step)
        return {_ACCOUNT: counted}

    def columns(self, sums: Mapping[str, Tensor], x0: State, x1: State) -> Mapping[str, Tensor]:
        return dict(sums)


def smoothed(density: Tensor, sigma: float) -> Tensor:
    """A density smoothed by a Gaussian of standard deviation `sigma` intervals, mirrored at both ends."""
    reach = min(round(_REACH * sigma), len(density) - 1)
    if reach < 1:
        return density
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, dtype=density.dtype) / sigma) ** 2)
    mirrored = torch.cat([density[:reach].flip(0), density, density[-reach:].flip(0)])
    return conv1d(mirrored[None, None], (weights / weights.sum())[None, None])[0, 0]
