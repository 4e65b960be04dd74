"""A boost for nets whose velocities are too small."""

from __future__ import annotations

from typing import final

import attrs

from kinetic import Schedule, options
from kinetic.types import PerSample, State


@final
@attrs.frozen(eq=False)
class VelocityDeficit(Schedule):
    """gain(t) = 1 + alpha (1 - t)^beta: an early boost for nets that undershoot ||v||. alpha = 0 leaves paths alone.

    Source: the training-free correction of the velocity deficit, arXiv 2605.14819.
    """

    alpha: float = options.number(0.02, at_least=0, doc="boost at t = 0")
    beta: float = options.number(2.0, above=0, doc="how fast it fades")

    @property
    def breakpoints(self) -> tuple[float, ...]:
        return ()

    def gain(self, t: PerSample, x: State, v: State) -> PerSample:
        return 1 + self.alpha * (1 - t) ** self.beta
