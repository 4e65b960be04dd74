"""Grids calibrated on a field's paths against uniform, cosine and shifted ones, at equal calls, on other noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

import attrs
import torch
from kinetic_digits import Digits, DigitsFeatures, DigitsField
from kinetic_energy import KPE
from kinetic_grids import Cosine, Entropic, EqualEnergy, Given, Rotation, Sharpness, Shifted, Uniform
from kinetic_metrics import FrechetDistance
from kinetic_solvers import RK4, AdamsBashforth2, Euler, Midpoint
from timing import Table
from torch import Tensor

from kinetic import Batch, Estimate, Run, Runner, Solver, VelocityField
from kinetic._roles.calibrated import spread
from kinetic._sample.calibrate import measured

PEERS = ()
_FIXED = {"uniform": Uniform(), "cosine": Cosine(), "shifted, 3": Shifted(), "shifted, 1/3": Shifted(shift=1 / 3)}
_CALIBRATED = {"sharpness": Sharpness, "rotation": Rotation, "energy": EqualEnergy, "entropy": Entropic}
_SOLVERS = {"euler": (Euler, 10), "ab2": (AdamsBashforth2, 9), "midpoint": (Midpoint, 5)}
"""10 velocities each."""

_SEED, _APART = 1, 1_000_000
Times = Callable[[int], list[float]]


@attrs.frozen(eq=False)
class Mixture(VelocityField):
    """The exact velocity to eight Gaussians on a circle of radius 3."""

    std: float

    @property
    def event_shape(self) -> torch.Size:
        return torch.Size([2])

    def velocity(self, x: Tensor, t: Tensor, batch: Batch | None = None) -> Tensor:
        angle = torch.arange(8, dtype=x.dtype) * (math.pi / 4)
        means, t = 3 * torch.stack([angle.cos(), angle.sin()], 1), t[:, None]
        variance = (1 - t) ** 2 + (self.std * t) ** 2
        weights = torch.softmax(-(x[:, None] - t[..., None] * means).square().sum(2) / (2 * variance), 1)
        mean = weights @ means
        return mean + (t * self.std**2 - (1 - t)) / variance * (x - t * mean)


@attrs.frozen(eq=False)
class Case:
    """A field, and how its samples are asked for and judged."""

    name: str
    field: VelocityField
    samples: int
    classes: int | None = None
    dtype: torch.dtype = torch.float64
    frechet: bool = False

    def run(self, solver: Solver) -> Run:
        """Its samples, on the noise that all grids are compared on."""
        metrics = {"frechet": FrechetDistance(Digits(split="test"), DigitsFeatures())} if self.frechet else {}
        runner = Runner(field=self.field, solver=solver, meters={"kpe": KPE()}, metrics=metrics)
        return runner.run(self.samples, _SEED, device="cpu", classes=self.classes, dtype=self.dtype)

    def grids(self, quick: bool) -> dict[str, Times]:
        """The times of every grid by the number of steps; those that are calibrated are on noise of their own."""
        runner = Runner(field=self.field, solver=Euler(steps=1))
        asked = {"seed": _SEED + _APART, "device": "cpu", "classes": self.classes, "dtype": self.dtype}
        paths, fine = (10, 20) if quick else (500, 200)
        density = {name: measured(runner, cls, paths, fine, 0.005, **asked) for name, cls in _CALIBRATED.items()}
        calibrated = {name: partial(spread, each) for name, each in density.items()}
        return {name: grid.times for name, grid in _FIXED.items()} | calibrated


def _cases(quick: bool) -> list[Case]:
    few = 20 if quick else 1000
    return [
        Case("2-D mixture, std 0.3", Mixture(0.3), few),
        Case("2-D mixture, std 0.1", Mixture(0.1), few),
        Case("digits, net", DigitsField(), max(few, 80), 10, torch.float32, frechet=True),
    ]


def _error(run: Run, truth: Run) -> Tensor:
    """Distance of each sample from the end of its exact path."""
    return (run.samples - truth.samples).double().flatten(1).norm(dim=1)


def _ratio(error: Tensor, base: Tensor) -> str:
    """The ratio of two paired means, with its 95% interval by the delta method."""
    ratio = (error.mean() / base.mean()).item()
    spread_of = ((error - ratio * base).std() / base.mean() / math.sqrt(len(error))).item()
    return f"{ratio:.2f} [{ratio - 1.96 * spread_of:.2f}, {ratio + 1.96 * spread_of:.2f}]"


def _rows(case: Case, quick: bool) -> Iterator[list[str]]:
    truth = case.run(RK4(steps=20 if quick else 200))
    grids = case.grids(quick)
    for solver, (method, steps) in _SOLVERS.items():
        base = None
        for name, times in grids.items():
            run = case.run(method(steps=steps, grid=Given(times(steps))))
            error = _error(run, truth)
            base = error if base is None else base
            kpe = ((run.energy["kpe"] - truth.energy["kpe"]) / truth.energy["kpe"]).abs().mean().item()
            row = [solver, name, f"{error.mean():.4f}", _ratio(error, base), f"{kpe:.2%}"]
            yield [*row, _frechet(run)] if case.frechet else row


def _frechet(run: Run) -> str:
    value = run.details["frechet"].values["fd"]
    if not isinstance(value, Estimate) or value.low is None:
        return f"{float(getattr(value, 'value', value)):.2f}"
    return f"{value.value:.2f} [{value.low:.2f}, {value.high:.2f}]"


@torch.inference_mode()
def tables(quick: bool) -> list[Table]:
    """A table for each field: error of x1 and of the KPE at ten velocities, by solver and grid."""
    made = []
    for case in _cases(quick):
        heads = ["solver", "grid", "error of x1", "as a share of uniform's", "error of KPE"]
        made.append(
            Table(
                f"{case.name}: ten velocities",
                (*heads, *(["Frechet distance"] if case.frechet else [])),
                list(_rows(case, quick)),
                f"Means over {case.samples} samples of seed {_SEED}, the same for every grid, against RK4 of "
                f"{20 if quick else 200} steps; 95% intervals over samples, paired. Calibrated grids are made on "
                f"{10 if quick else 500} paths of seed {_SEED + _APART}. euler 10 steps, ab2 9 steps, midpoint 5.",
            )
        )
    return made
