"""A gain for samples whose data point is decided."""

from __future__ import annotations

from functools import cached_property
from typing import final

import attrs
from kinetic_fields.away import check_rising
from kinetic_fields.empirical import Empirical
from kinetic_fields.heading import ramp

from kinetic import Dataset, as_dataset, options
from kinetic.types import PerSample, State
from kinetic_schedules.for_some import ForSome

_BEFORE = 1 - 1e-6  # at t = 1 the posterior is 0/0


@final
@attrs.frozen(eq=False)
class Decided(ForSome):
    """1 + h (g - 1): the gain g of another schedule, for samples whose data point is decided, and 1 for all others.

    h rises from 0 to 1 as the largest weight of the closed-form posterior p(i | x, t) rises from `lower` to `upper`:
    where it is near 1, the exact minimiser of the loss would take the sample to that data point. It looks at x and t,
    not at where the field goes; `near-copies` does. It takes a pass over the data for each velocity.

    Args:
        data: what the field was trained on.

    Source: the posterior of Bertrand et al., On the Closed-Form of Flow Matching, arXiv 2506.03719, proposition 1.
    """

    data: Dataset = options.component(Dataset, converter=as_dataset, doc="what the field was trained on")
    lower: float = options.number(0.9, at_least=0, below=1, doc="weight up to which the gain is 1")
    upper: float = options.number(0.99, above=0, at_most=1, doc="weight from which on it is that of `schedule`")

    def __attrs_post_init__(self) -> None:
        check_rising(self.lower, self.upper)

    @cached_property
    def _field(self) -> Empirical:
        return Empirical(self.data)

    def share(self, t: PerSample, x: State, v: State) -> PerSample:
        weight = self._field.posterior(x, t.double().clamp_max(_BEFORE)).top_weight
        return ramp(weight, self.lower, self.upper)
