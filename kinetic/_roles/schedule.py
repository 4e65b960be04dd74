"""The abstract schedule: a gain on the velocity."""

from __future__ import annotations

import abc
from typing import ClassVar

import attrs

from kinetic._roles.component import Component
from kinetic.types import PerSample, State


@attrs.frozen(eq=False)
class Schedule(Component):
    """A gain that multiplies the velocity of each sample. It is no change of time: it moves the end of the path.

    `adaptive` is true of a gain that looks at x or v, and not at t alone: the mean gain is then of the gains that were
    applied, since v after the gain would be answered differently.
    """

    adaptive: ClassVar[bool] = False

    @property
    @abc.abstractmethod
    def breakpoints(self) -> tuple[float, ...]:
        """Times in (0, 1) where the gain is not smooth; adaptive solvers step onto them. Often `()`."""

    @abc.abstractmethod
    def gain(self, t: PerSample, x: State, v: State) -> PerSample:
        """Gain of each sample, `(m,)`, >= 0; 1 leaves the path alone.

        Args:
            t: `(m,)` in [0, 1].
            x: `(m, *event)`, where the samples are.
            v: `(m, *event)`, the velocity before the gain.
        """
