"""How many groups the jackknife of a spectral score leaves out, and when it is not worth its cost."""

from __future__ import annotations

import math

from kinetic import Estimate, evidence

LEAST = 3 * evidence.GROUPS
"""Samples that an interval needs."""

FEWEST = 4
"""Points for each feature from which on the bias of a Frechet distance is a line in one over their number."""

_WIDE = 512  # above, a group costs seconds: half as many do


def jackknife_groups(width: int, widest: int) -> int:
    """How many: 20, above 512 features 10, above `widest` 1, which is none.

    Each costs a spectrum more, cubic in the width.
    """
    if width > widest:
        return 1
    return evidence.GROUPS if width <= _WIDE else evidence.GROUPS // 2


def no_interval(n: int, width: int, widest: int, what: str = "features") -> str:
    """A note that says why there is none, of n samples with a spectrum of `width`, so many of what."""
    why = f"{n} samples, below {LEAST}" if n < LEAST else f"{width} {what}, above {widest}"
    return f"No interval: {why}."


def over_both(estimate: Estimate, name: str = "", least: float = -math.inf, most: float = math.inf) -> list[str]:
    """A note that gives the interval over draws of the reference as well, if it can be told.

    Args:
        estimate: with leave-out values of both.
        name: of the score, where there are several.
        least, most: what it cannot be beyond.
    """
    if estimate.leave_out is None or estimate.leave_out_reference is None:
        return []
    value = estimate.value if estimate.unbiased is None else estimate.unbiased
    known = evidence.two_jackknives(value, estimate.leave_out, estimate.leave_out_reference)
    ends = [min(max(end, least), most) for end in (known.low, known.high) if end is not None]
    what = f"The interval of {name}" if name else "The interval"
    return [
        f"{what} is given this reference; over draws of the reference as well it is [{ends[0]:.4g}, {ends[1]:.4g}]."
    ]
