"""The resolution-dependent shift of Stable Diffusion 3."""

from __future__ import annotations

from typing import final

import attrs

from kinetic import TimeGrid, options


@final
@attrs.frozen(eq=False)
class Shifted(TimeGrid):
    """The grid of Stable Diffusion 3: equal steps of the noise level sigma = 1 - t, shifted towards noise.

    sigma' = s sigma/(1 + (s - 1) sigma), so that with u = k/N
        t_k = u/(u + s (1 - u)).
    s > 1 makes the first steps shorter and the last longer, s = 1 is the uniform grid, 1/s mirrors s in time. The first
    step is 1/s times as long as a uniform one and the last s times, where they are short.

    These are the levels of diffusers' FlowMatchEulerDiscreteScheduler for `sigmas = linspace(1, 1/N, N)`. Left to
    itself that scheduler ends its levels at the shifted 1/1000 in place of 1/N; for that grid take `given`.

    Source: Esser et al., Scaling Rectified Flow Transformers, arXiv 2403.03206, equation 23, where s is the square root
    of the ratio of numbers of pixels. 3 is what the model was released with.
    """

    shift: float = options.number(3.0, above=0, doc="s, the shift towards noise")

    def times(self, steps: int) -> list[float]:
        return shift_times(self.shift, steps)


def shift_times(shift: float, steps: int) -> list[float]:
    """t_k = u/(u + s (1 - u)) at u = k/N."""
    return [k / (k + shift * (steps - k)) for k in range(steps + 1)]
