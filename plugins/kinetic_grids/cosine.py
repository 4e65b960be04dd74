"""Steps that are shorter at both ends."""

from __future__ import annotations

import math
from typing import final

import attrs

from kinetic import TimeGrid


@final
@attrs.frozen(eq=False)
class Cosine(TimeGrid):
    """Steps that are shorter at both ends, t_k = (1 - cos(pi k/N))/2."""

    def times(self, steps: int) -> list[float]:
        return [0.0, *((1 - math.cos(math.pi * (k / steps))) / 2 for k in range(1, steps)), 1.0]
