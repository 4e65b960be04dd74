"""A gain for samples that are heading to a copy."""

from __future__ import annotations

from functools import cached_property
from typing import final

import attrs
from kinetic_fields.away import check_rising, check_two
from kinetic_fields.heading import heading, ramp
from kinetic_fields.points import Points

from kinetic import Dataset, as_dataset, options
from kinetic.types import PerSample, State
from kinetic_schedules.for_some import ForSome


@final
@attrs.frozen(eq=False)
class NearCopies(ForSome):
    """1 + h (g - 1): the gain g of another schedule, for samples that are heading to a copy, and 1 for all others.

    h falls from 1 to 0 as d1/d2 rises from `lower` to `upper`: the ratio of the distances of x + (1 - t) v, where one
    step would take the sample, to the two nearest data points. It takes a pass over the data for each velocity. A
    landing leaves noise in the samples it slows, and in these alone: the mean gain is each sample's own.

    Args:
        data: what the field was trained on, two points or more.
    """

    data: Dataset = options.component(Dataset, converter=as_dataset, doc="what the field was trained on")
    lower: float = options.number(0.3, at_least=0, below=1, doc="ratio up to which the gain is that of `schedule`")
    upper: float = options.number(0.6, above=0, at_most=1, doc="ratio from which on it is 1")

    def __attrs_post_init__(self) -> None:
        check_two(self.data)
        check_rising(self.lower, self.upper)

    @cached_property
    def _points(self) -> Points:
        return Points(self.data)

    def share(self, t: PerSample, x: State, v: State) -> PerSample:
        return ramp(heading(self._points, x, t, v).ratio, self.upper, self.lower)
