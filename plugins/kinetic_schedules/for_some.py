"""The abstract schedule that acts on some samples and leaves the others alone."""

from __future__ import annotations

import abc
from typing import ClassVar

import attrs

from kinetic import Schedule, options
from kinetic.types import PerSample, State


@attrs.frozen(eq=False)
class ForSome(Schedule):
    """1 + h (g - 1): the gain g of another schedule, to the share h of it that a sample gets, which a subclass says."""

    adaptive: ClassVar[bool] = True
    schedule: Schedule = options.component(Schedule, doc="the gain of the samples that it acts on")

    @property
    def breakpoints(self) -> tuple[float, ...]:
        return self.schedule.breakpoints

    @abc.abstractmethod
    def share(self, t: PerSample, x: State, v: State) -> PerSample:
        """h in [0, 1] of each sample, `(m,)`."""

    def gain(self, t: PerSample, x: State, v: State) -> PerSample:
        return 1 + self.share(t, x, v).to(t.dtype) * (self.schedule.gain(t, x, v) - 1)
