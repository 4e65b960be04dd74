"""The exact flow between two Gaussians."""

from __future__ import annotations

from typing import final

import attrs
import torch

from kinetic import Batch, VelocityField, options
from kinetic.types import PerSample, State


@final
@attrs.frozen(eq=False)
class Gaussian(VelocityField):
    """The exact velocity from N(0, I) to N(mean, std^2 I) along x_t = (1-t) x0 + t x1, with x0, x1 independent.

    v(x, t) = mean + (t std^2 - (1-t)) / s_t^2 (x - t mean), with s_t^2 = (1-t)^2 + t^2 std^2.
    Its path from x0 is x_t = t mean + s_t x0, so x1 = mean + std x0, and with y = x0 the energy is
    1/2 (d mean^2) + mean (std - 1) sum(y) + 1/2 ||y||^2 int_0^1 (ds/dt)^2 dt.

    The field to test a solver or a meter on: everything about it is known.
    """

    size: int = options.integer(2, at_least=1, doc="number of dimensions d")
    mean: float = options.number(0.0, doc="mean of every dimension")
    std: float = options.number(1.0, above=0, doc="standard deviation of every dimension")

    @property
    def event_shape(self) -> torch.Size:
        return torch.Size([self.size])

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        t = t.view(-1, *[1] * (x.dim() - 1))
        variance = (1 - t) ** 2 + (t * self.std) ** 2
        return (self.mean + (t * self.std**2 - (1 - t)) / variance * (x - t * self.mean)).to(x.dtype)
