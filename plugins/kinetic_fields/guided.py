"""Classifier-free guidance."""

from __future__ import annotations

from typing import final

import attrs
import torch

from kinetic import Batch, VelocityField, options
from kinetic.types import PerSample, State


@final
@attrs.frozen(eq=False)
class Guided(VelocityField):
    """Classifier-free guidance, v = v_u + scale (v_c - v_u), of a field that answers with and without a condition.

    scale = 1 is the conditional field, 0 the unconditional one; each velocity costs two of the field's.
    Energies are those of the guided velocity, the one travelled.

    Source: Ho & Salimans, Classifier-Free Diffusion Guidance, arXiv 2207.12598.
    """

    field: VelocityField = options.component(VelocityField, doc="the field to guide")
    scale: float = options.number(1.5, doc="strength of the guidance")

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

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        conditional = self.field.velocity(x, t, batch)
        free = self.field.velocity(x, t, batch and batch.unconditional())
        return torch.lerp(free, conditional, self.scale)
