"""A schedule."""

import attrs

from kinetic import Schedule, options


@attrs.frozen(eq=False)
class Ramp(Schedule):
    """gain(t) = first + (last - first) t, from one gain at the noise to another at the data."""

    first: float = options.number(1.05, at_least=0, doc="gain at t = 0")
    last: float = options.number(1.0, at_least=0, doc="gain at t = 1")

    @property
    def breakpoints(self):
        return ()

    def gain(self, t, x, v):
        return self.first + (self.last - self.first) * t
