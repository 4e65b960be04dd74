"""A field at another temperature."""

from __future__ import annotations

from typing import final

import attrs

from kinetic import Batch, FieldWrapper, options
from kinetic.types import PerSample, State


@final
@attrs.frozen(eq=False)
class Temperature(FieldWrapper):
    """v' = (x - r (x - t v)) / t with r = (SNR s^2 + 1) / (SNR s^2 / k + 1), SNR = (t / (1 - t))^2: the score times r.

    x - t v is the noise that the field sees. Of data N(0, s^2 I) it is the exact flow to N(0, s^2 / k I): k above 1
    sharpens. It is computed as v' = v - t s^2 (1 - 1/k) / (t^2 s^2 / k + (1 - t)^2) (x - t v), finite at t = 0 and 1.

    Source: Xu et al., Temporal Score Rescaling, arXiv 2510.01184.
    """

    factor: float = options.number(1.0, above=0, doc="k, the inverse of the temperature")
    std: float = options.number(1.0, above=0, doc="s, of the data")

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        v = self.field.velocity(x, t, batch)
        t, square = t.view(-1, *[1] * (x.dim() - 1)), self.std**2
        drawn = t * square * (1 - 1 / self.factor) / (t**2 * square / self.factor + (1 - t) ** 2)
        return (v - drawn * (x - t * v)).to(x.dtype)
