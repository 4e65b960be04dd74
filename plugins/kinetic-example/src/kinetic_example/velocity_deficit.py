"""A schedule."""

import attrs

from kinetic import Schedule, options


@attrs.frozen(eq=False)
class VelocityDeficit(Schedule):
    """gain(t) = 1 + alpha (1 - t)^power: an early boost for nets that undershoot ||v||.

    Source: after the training-free correction of the velocity deficit, arXiv 2605.14819.
    """

    alpha: float = options.number(0.02, at_least=0, doc="boost at t = 0")
    power: float = options.number(2.0, above=0, doc="how fast it fades")

    @property
    def breakpoints(self):
        return ()

    def gain(self, t, x, v):
        return 1 + self.alpha * (1 - t) ** self.power
