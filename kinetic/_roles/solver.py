"""The abstract solver and what it yields."""

from __future__ import annotations

import abc
import enum
from collections.abc import Callable, Iterator
from functools import cached_property

import attrs
import torch

from kinetic._display import Displayed
from kinetic._roles.column import Column
from kinetic._roles.component import Component
from kinetic.precision import norms
from kinetic.types import PerSample, Rows, State, Velocity


@attrs.frozen(eq=False, slots=False, repr=False)  # a dict is where properties are remembered fastest
class Stage(Displayed):
    """One velocity a step was built from.

    Args:
        t: float64 `(m,)`, when.
        v: `(m, *event)`, the velocity as the solver got it, in this step or one before; no mean of several.
        weight: Butcher's b of this stage; the weights of a step sum to 1.
        embedded: its weight in a second, cheaper rule for the same step, where the method has one; they sum to 1 too.
    """

    t: PerSample
    v: State
    weight: float
    embedded: float | None = None

    @cached_property
    def square(self) -> PerSample:
        """||v||^2 of each sample, float64 `(m,)`, summed over its elements; computed once, shared by meters."""
        return norms(self.v).square_()

    @property
    def power(self) -> PerSample:
        """1/2 ||v||^2 of each sample, float64 `(m,)`."""
        return 0.5 * self.square

    def weighed(self, weight: float) -> Stage:
        """The same velocity with this weight in a later step; what is known of it is known there too."""
        later = Stage(self.t, self.v, weight)
        if "square" in vars(self):
            vars(later)["square"] = self.square
        return later


@attrs.frozen(eq=False, slots=False, repr=False)
class Step(Displayed):
    """One accepted step of some samples of a batch: x1 = x0 + (t1 - t0) sum_i weight_i v_i.

    Args:
        rows: which samples of the batch moved, int64 `(m,)` or `slice(None)` for all.
        t0, t1: float64 `(m,)`, from when to when.
        x0, x1: `(m, *event)`, from where to where.
        stages: the velocities the step was built from, with their weights.
        span: t0 and t1 as numbers, where all samples share them; it saves arithmetic.
    """

    rows: Rows
    t0: PerSample
    t1: PerSample
    x0: State
    x1: State
    stages: tuple[Stage, ...]
    span: tuple[float, float] | None = None

    @cached_property
    def dt(self) -> PerSample:
        """t1 - t0, float64 `(m,)`."""
        return self.t1 - self.t0

    @cached_property
    def energy(self) -> PerSample:
        """Kinetic energy spent in the step, dt sum_i weight_i 1/2 ||v_i||^2, float64 `(m,)`."""
        if self.span is None:
            return self.mean(lambda stage: stage.square) * (0.5 * self.dt)
        half, total = 0.5 * (self.span[1] - self.span[0]), None
        for stage in self.stages:
            if stage.weight:
                factor = half * stage.weight
                total = stage.square * factor if total is None else torch.add(total, stage.square, alpha=factor)
        assert total is not None
        return total

    @cached_property
    def energy_error(self) -> PerSample:
        """dt sum_i (weight_i - embedded_i) 1/2 ||v_i||^2, how far two rules differ, `(m,)`; 0 without a second."""
        total = torch.zeros_like(self.dt)
        for stage in self.stages:
            apart = stage.weight - (stage.weight if stage.embedded is None else stage.embedded)
            if apart:
                total = total + stage.square * (0.5 * apart)
        return total * self.dt

    def mean(self, of_stage: Callable[[Stage], PerSample]) -> PerSample:
        """The weighted mean over the stages of a number per sample, `(m,)`; stages of weight 0 are not looked at."""
        weighed = [of_stage(stage) * stage.weight for stage in self.stages if stage.weight]
        total = weighed[0]
        for value in weighed[1:]:
            total = total + value
        return total


class Status(enum.IntEnum):
    """How the path of one sample ended."""

    REACHED = 0
    STEP_LIMIT = 1
    STEP_SIZE = 2
    NOT_FINITE = 3

    @property
    def words(self) -> str:
        """What the table says."""
        return ("reached t = 1", "stopped: step limit", "stopped: step too small", "stopped: not finite")[self]


@attrs.frozen(eq=False)
class Solver(Component):
    """Walks samples from noise (t = 0) to data (t = 1)."""

    @property
    def described(self) -> tuple[Column, ...]:
        """What the columns mean that `solve` returns; one that is not described is a count."""
        return ()

    @abc.abstractmethod
    def solve(self, velocity: Velocity, x0: State) -> Iterator[Step]:
        """Yield every accepted step, in order of time for each sample, without gaps, from 0 to 1.

        A step of one sample may not depend on the other samples of the batch. Yield the velocities the step used, all
        of them, with weights that sum to 1: energies are integrated from them, at the solver's own order and at no
        further velocity call.

        A generator may return `{column: (n,)}`, columns of its own for the table. A solver that gives up on a sample
        says so there, in a column `status` of `Status` codes; the others go on. One that stops short of t = 1 on
        purpose returns a column `t_end`, the time each sample was carried to: the noise that is left is then known.

        Args:
            velocity: `velocity(x, t, rows) -> v`, with x, v `(m, *event)`, t float64 `(m,)` and rows the samples meant.
                Its attribute `breakpoints`, where it has one, holds the times in (0, 1) where it is not smooth; its
                attribute `clock` is a dtype in which it takes t as well, and which it would convert t to.
            x0: `(n, *event)`, the noise. It is not to be written to.
        """
