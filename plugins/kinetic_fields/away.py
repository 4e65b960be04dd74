"""A field that keeps its samples off the data it was trained on."""

from __future__ import annotations

from functools import cached_property
from typing import final

import attrs

from kinetic import Batch, Dataset, FieldWrapper, as_dataset, options
from kinetic.errors import OptionError
from kinetic.types import PerSample, State
from kinetic_fields.heading import heading, ramp, wide
from kinetic_fields.points import Points

_LEAST = 0.02  # of 1 - t, where the push is singular


@final
@attrs.frozen(eq=False)
class Away(FieldWrapper):
    """v + w h (x^ - x_i) / (1 - t): where one step would take a sample to a copy, it is led away from that data point.

    x^ = x + (1 - t) v is the end of one step, x_i the data point nearest to it, and h falls from 1 to 0 as d1/d2, the
    ratio of the distances of x^ to the two nearest data points, rises from `lower` to `upper`. So a path that leads to
    no copy is left alone, and the push ends where a copy does. In it 1 - t is held at 0.02 or more. It takes a pass
    over the data for each velocity, and no further call of the field.

    Args:
        data: what the field was trained on, two points or more.
        weight: w; at 0 the field is left alone.

    Source: guidance away from training points as in Chen, Liu & Xu, Towards Memorization-Free Diffusion Models, arXiv
    2404.00922; the ratio is that of the memorisation metric.
    """

    data: Dataset = options.component(Dataset, converter=as_dataset, doc="what the field was trained on")
    weight: float = options.number(0.2, at_least=0, doc="w, how hard it is pushed")
    lower: float = options.number(0.3, at_least=0, below=1, doc="ratio up to which it is pushed fully")
    upper: float = options.number(0.6, above=0, at_most=1, doc="ratio from which on it is left alone")

    def __attrs_post_init__(self) -> None:
        check_two(self.data)
        check_rising(self.lower, self.upper)

    @cached_property
    def _points(self) -> Points:
        return Points(self.data)

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        v = self.field.velocity(x, t, batch)
        if self.weight == 0 or len(x) == 0:
            return v
        to = heading(self._points, x, t, v)
        strength = self.weight * ramp(to.ratio, self.upper, self.lower) / (1 - t.to(to.ratio)).clamp_min(_LEAST)
        return v + (wide(strength, x) * (to.estimate - to.nearest)).to(v.dtype)


def check_two(data: Dataset) -> None:
    """Refuse data without a second nearest point."""
    if len(data) < 2:
        raise OptionError(f"'data' must hold 2 points or more, for a second nearest one: {len(data)}")


def check_rising(lower: float, upper: float) -> None:
    """Refuse a ramp that does not rise."""
    if lower >= upper:
        raise OptionError(f"'lower' must be below 'upper' = {upper:g}: {lower:g}")
