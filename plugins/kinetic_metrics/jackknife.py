"""How many groups the jackknife of a spectral score leaves out, and when it is not worth its cost."""

from __future__ import annotations

from kinetic import evidence

LEAST = 3 * evidence.GROUPS
"""Samples that an interval needs."""

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
