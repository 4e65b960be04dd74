"""What fields that change another one share: whatever they do not change is the other's."""

from __future__ import annotations

import attrs
import torch

from kinetic import Batch, VelocityField, options
from kinetic.types import State


@attrs.frozen(eq=False)
class Wrapper(VelocityField):
    """Another field but for its velocity: its shape, its breakpoints, where it begins, stops and how it is seen."""

    field: VelocityField = options.component(VelocityField, doc="the field to change")

    @property
    def event_shape(self) -> torch.Size:
        return self.field.event_shape

    @property
    def breakpoints(self) -> tuple[float, ...]:
        return self.field.breakpoints

    @property
    def t_end(self) -> float:
        return self.field.t_end

    def start(self, z: State, batch: Batch | None = None) -> State:
        return self.field.start(z, batch)

    def seen(self, x: State) -> State:
        return self.field.seen(x)
