"""A field begun at more or less noise."""

from __future__ import annotations

from typing import final

import attrs

from kinetic import Batch, FieldWrapper, options
from kinetic.types import PerSample, State


@final
@attrs.frozen(eq=False)
class NoiseScale(FieldWrapper):
    """The same velocity from x0 ~ N(0, T^2 I): the baseline of every temperature. T below 1 draws nearer the mode."""

    scale: float = options.number(1.0, above=0, doc="T")

    def start(self, z: State, batch: Batch | None = None) -> State:
        return self.scale * self.field.start(z, batch)

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        return self.field.velocity(x, t, batch)
