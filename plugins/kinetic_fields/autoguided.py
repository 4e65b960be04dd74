"""Guidance by a weaker version of the same model."""

from __future__ import annotations

from typing import final

import attrs
import torch

from kinetic import Batch, VelocityField, options
from kinetic.errors import ShapeError
from kinetic.types import PerSample, State
from kinetic_fields.guidance import combined


@final
@attrs.frozen(eq=False)
class Autoguided(VelocityField):
    """v = v_weak + scale (v_field - v_weak): a good field, led away from a weaker one. Both get the condition, if any.
    Behind its own `t_end` the weak field is asked at that.

    In the meter `guidance` the field is the conditional half, the weak one the unconditional half.

    Source: Karras et al., Guiding a Diffusion Model with a Bad Version of Itself, arXiv 2406.02507.
    """

    field: VelocityField = options.component(VelocityField, doc="the good field")
    weak: VelocityField = options.component(VelocityField, doc="the weaker one, as after less training")
    scale: float = options.number(1.5, doc="strength of the guidance")

    def __attrs_post_init__(self) -> None:
        if self.field.event_shape != self.weak.event_shape:
            shapes = tuple(self.field.event_shape), tuple(self.weak.event_shape)
            raise ShapeError(f"'field' moves samples of shape {shapes[0]}, 'weak' of shape {shapes[1]}")

    @property
    def event_shape(self) -> torch.Size:
        return self.field.event_shape

    @property
    def breakpoints(self) -> tuple[float, ...]:
        own = {self.weak.t_end} - {1.0}
        return tuple(sorted({*self.field.breakpoints, *self.weak.breakpoints, *own}))

    @property
    def t_end(self) -> float:
        return self.field.t_end

    def start(self, z: State, batch: Batch | None = None) -> State:
        return self.field.start(z, batch)

    def seen(self, x: State) -> State:
        return self.field.seen(x)

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        good = self.field.velocity(x, t, batch)
        weak = self.weak.velocity(x, t.clamp_max(self.weak.t_end), batch)
        if batch is not None:
            batch.count(torch.full((len(x),), 2, device=x.device))
        return combined(good, weak, self.scale, batch is not None and batch.listening)
