"""The shift of Flux."""

from __future__ import annotations

import math
from typing import final

import attrs

from kinetic import TimeGrid, options
from kinetic_grids.shifted import shift_times


@final
@attrs.frozen(eq=False)
class ExponentialShift(TimeGrid):
    """The grid of Flux: equal steps of the noise level sigma = 1 - t, shifted towards noise by an exponential.

    sigma' = e^mu/(e^mu + 1/sigma - 1), so that with u = k/N
        t_k = u/(u + e^mu (1 - u)),
    which is `shifted` with s = e^mu. mu = 0 is the uniform grid.

    Flux takes mu from the number of image tokens, 0.5 for 256 and 1.15 for 4,096, on a line between and beyond:
    mu = 0.5 + 0.65 (tokens - 256)/3840. A token is 16 x 16 pixels, so 4,096 of them are an image of 1024 x 1024.
    In Python that is `ExponentialShift.flux(tokens)`.

    Source: the reference code of FLUX.1 (black-forest-labs/flux, `get_schedule`) and diffusers'
    FlowMatchEulerDiscreteScheduler with `use_dynamic_shifting`.
    """

    mu: float = options.number(1.15, at_least=-100, at_most=100, doc="logarithm of the shift towards noise")

    @classmethod
    def flux(cls, tokens: int) -> ExponentialShift:
        """The grid of Flux for images of so many tokens."""
        return cls(mu=0.5 + 0.65 * (tokens - 256) / 3840)

    def times(self, steps: int) -> list[float]:
        return shift_times(math.exp(self.mu), steps)
