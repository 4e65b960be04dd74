"""The abstract solver and what it yields."""

from __future__ import annotations

import abc
from collections.abc import Iterator
from functools import cached_property

import attrs
import torch

from kinetic._component import Component
from kinetic.types import PerSample, Rows, State, Velocity


@attrs.frozen(eq=False)
class Stage:
    """One velocity a step was built from.

    Args:
        t: float64 `(m,)`, when.
        v: `(m, *event)`, the velocity as the solver got it.
        weight: Butcher's b of this stage; the weights of a step sum to 1.
    """

    t: PerSample
    v: State
    weight: float

    @cached_property
    def power(self) -> PerSample:
        """1/2 ||v||^2 of each sample, float64 `(m,)`, summed over its elements; computed once, shared by meters."""
        v = self.v.flatten(1)
        half = v.dtype in (torch.float16, torch.bfloat16)
        norm = torch.linalg.vector_norm(v, dim=1, dtype=torch.float32 if half else None)
        return norm.double().square_().mul_(0.5)


@attrs.frozen(eq=False)
class Step:
    """One accepted step of some samples of a batch: x1 = x0 + (t1 - t0) sum_i weight_i v_i.

    Args:
        rows: which samples of the batch moved, int64 `(m,)` or `slice(None)` for all.
        t0, t1: float64 `(m,)`, from when to when.
        x0, x1: `(m, *event)`, from where to where.
        stages: the velocities the step was built from, with their weights.
    """

    rows: Rows
    t0: PerSample
    t1: PerSample
    x0: State
    x1: State
    stages: tuple[Stage, ...]

    @cached_property
    def dt(self) -> PerSample:
        """t1 - t0, float64 `(m,)`."""
        return self.t1 - self.t0

    @cached_property
    def energy(self) -> PerSample:
        """Kinetic energy spent in the step, dt sum_i weight_i 1/2 ||v_i||^2, float64 `(m,)`."""
        return self.mean([stage.power for stage in self.stages]) * self.dt

    def mean(self, of_stages: list[PerSample]) -> PerSample:
        """The weighted mean over the stages of a number per sample, one entry of `of_stages` per stage, `(m,)`."""
        total = of_stages[0] * self.stages[0].weight
        for value, stage in zip(of_stages[1:], self.stages[1:], strict=True):
            total = total + value * stage.weight
        return total


@attrs.frozen(eq=False)
class Solver(Component):
    """Walks samples from noise (t = 0) to data (t = 1)."""

    @abc.abstractmethod
    def solve(self, velocity: Velocity, x0: State) -> Iterator[Step]:
        """Yield every accepted step, in order of time for each sample, without gaps, from 0 to 1.

        A step of one sample may not depend on the other samples of the batch. Yield the velocities the step used, all
        of them, with weights that sum to 1: energies are integrated from them, at the solver's own order and at no
        further velocity call.

        Args:
            velocity: `velocity(x, t, rows) -> v`, with x, v `(m, *event)`, t float64 `(m,)` and rows the samples meant.
            x0: `(n, *event)`, the noise. It is not to be written to.
        """
