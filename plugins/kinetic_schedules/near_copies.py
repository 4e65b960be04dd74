"""A gain for samples that are heading to a copy."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar, final

import attrs
from kinetic_fields.away import check_rising, check_two
from kinetic_fields.heading import heading, ramp
from kinetic_fields.points import Points

from kinetic import Dataset, Schedule, as_dataset, options
from kinetic.types import PerSample, State


@final
@attrs.frozen(eq=False)
class NearCopies(Schedule):
    """1 + h (g - 1): the gain g of another schedule, for samples that are heading to a copy, and 1 for all others.

    h falls from 1 to 0 as d1/d2 rises from `lower` to `upper`: the ratio of the distances of x + (1 - t) v, where one
    step would take the sample, to the two nearest data points. It takes a pass over the data for each velocity. A
    landing leaves noise in the samples it slows, and in these alone: the mean gain is each sample's own.

    Args:
        data: what the field was trained on, two points or more.
    """

    adaptive: ClassVar[bool] = True
    schedule: Schedule = options.component(Schedule, doc="the gain of samples that are heading to a copy")
    data: Dataset = options.component(Dataset, converter=as_dataset, doc="what the field was trained on")
    lower: float = options.number(0.3, at_least=0, below=1, doc="ratio up to which the gain is that of `schedule`")
    upper: float = options.number(0.6, above=0, at_most=1, doc="ratio from which on it is 1")

    def __attrs_post_init__(self) -> None:
        check_two(self.data)
        check_rising(self.lower, self.upper)

    @property
    def breakpoints(self) -> tuple[float, ...]:
        return self.schedule.breakpoints

    @cached_property
    def _points(self) -> Points:
        return Points(self.data)

    def gain(self, t: PerSample, x: State, v: State) -> PerSample:
        share = ramp(heading(self._points, x, t, v).ratio, self.upper, self.lower).to(t.dtype)
        return 1 + share * (self.schedule.gain(t, x, v) - 1)
