"""Numbers with intervals."""

from __future__ import annotations

import attrs
import numpy as np


@attrs.frozen(eq=False)
class Estimate:
    """A number with the interval it is known to.

    Args:
        value: the number.
        low, high: the ends of its 95% interval, or None where there is none.
        leave_out: `(groups,)`, the number recomputed without the samples whose id falls into each group
            (group = id mod groups), or None. From these the jackknife gives intervals of differences between arms.
    """

    value: float
    low: float | None = None
    high: float | None = None
    leave_out: np.ndarray | None = None
