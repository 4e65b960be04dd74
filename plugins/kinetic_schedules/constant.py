"""One gain for all times."""

from __future__ import annotations

from typing import final

import attrs

from kinetic import Schedule, options
from kinetic.types import PerSample, State


@final
@attrs.frozen(eq=False)
class Constant(Schedule):
    """The same gain everywhere: the control to compare a shaped arm with. 1 leaves the path alone."""

    value: float = options.number(1.0, at_least=0, doc="the gain")

    @property
    def breakpoints(self) -> tuple[float, ...]:
        return ()

    def gain(self, t: PerSample, x: State, v: State) -> PerSample:
        return t.new_full(t.shape, self.value)
