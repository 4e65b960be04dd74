"""A field followed from data back to noise."""

from __future__ import annotations

from typing import final

import attrs
import torch

from kinetic import Batch, VelocityField, options
from kinetic.types import PerSample, State


@final
@attrs.frozen(eq=False)
class Reversed(VelocityField):
    """dx/ds = -v(x, 1 - s): a field walked the other way, so that data given as `Runner.run(start=...)` end as noise.

    The energy is that of the same path walked forwards, 1/2 int ||v||^2 dt, so real images get one: inversion.
    Where the field stops short, times behind its `t_end` are asked at `t_end`.
    """

    field: VelocityField = options.component(VelocityField, doc="the field to walk back")

    @property
    def event_shape(self) -> torch.Size:
        return self.field.event_shape

    @property
    def breakpoints(self) -> tuple[float, ...]:
        return tuple(sorted(1 - t for t in self.field.breakpoints))

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        return -self.field.velocity(x, (1 - t).clamp_max(self.field.t_end), batch)
