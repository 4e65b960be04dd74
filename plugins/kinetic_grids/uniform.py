"""Steps of one length."""

from __future__ import annotations

from typing import final

import attrs

from kinetic import TimeGrid


@final
@attrs.frozen(eq=False)
class Uniform(TimeGrid):
    """Steps of one length, t_k = k/N."""

    def times(self, steps: int) -> list[float]:
        return [k / steps for k in range(steps + 1)]
