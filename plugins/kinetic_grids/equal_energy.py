"""The grid of equal energy."""

from __future__ import annotations

from typing import ClassVar, final

import attrs

from kinetic import CalibratedGrid, Step
from kinetic.types import PerSample


@final
@attrs.frozen(eq=False)
class EqualEnergy(CalibratedGrid):
    """Steps that each cost the same kinetic energy, int 1/2 ||v||^2 dt, in the mean over paths.

    So N steps share out the mean Kinetic Path Energy equally: shorter steps where samples are fast. It is what is spent
    that is made equal, not what bends a path: a straight path at a speed that changes gets steps of unequal length.
    """

    formula: ClassVar[str] = "int mean 1/2 ||v||^2 dt, the mean Kinetic Path Energy"

    @classmethod
    def adds(cls, step: Step) -> PerSample:
        first, last = step.stages
        return 0.5 * (first.power + last.power) * step.dt
