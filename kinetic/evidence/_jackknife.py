"""The delete-a-group jackknife of set statistics."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinetic.errors import OptionError
from kinetic.evidence._estimate import Estimate, column, quantile

GROUPS = 20
"""Groups of the jackknife; see `groups`."""


def groups(ids: ArrayLike, count: int = GROUPS) -> NDArray[np.int64]:
    """The jackknife group, 0 to count - 1, of each sample id.

    Ids are scattered by Fibonacci hashing, so that a group leans to no class where sample i is of class i mod C.
    """
    hashed = np.asarray(ids).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return ((hashed >> np.uint64(32)) * np.uint64(count) >> np.uint64(32)).astype(np.int64)


def jackknife(value: float, leave_out: ArrayLike) -> Estimate:
    """A set statistic with the interval of the delete-a-group jackknife.

    With theta_g the statistic without group g of G, se^2 = (G-1)/G sum (theta_g - mean)^2; the interval is
    value +- t se with Student's t of G - 1 degrees of freedom.

    Source: Tukey (1958); Shao & Tu, The Jackknife and Bootstrap (1995), section 2.3.
    """
    theta = column(leave_out, "leave_out")
    count = len(theta)
    if count < 2:
        raise OptionError(f"the jackknife needs 2 groups or more: {count}")
    error = float(np.sqrt((count - 1) / count * np.square(theta - theta.mean()).sum()))
    half = quantile(count - 1) * error
    return Estimate(float(value), float(value) - half, float(value) + half, theta, error, count - 1)


def jackknife_difference(a: Estimate, b: Estimate) -> Estimate:
    """a - b of two set statistics over the same samples, the jackknife paired by group; no interval if one is NaN."""
    if a.leave_out is None or b.leave_out is None or len(a.leave_out) != len(b.leave_out):
        raise OptionError("both estimates need leave-out values over the same groups")
    if not np.isfinite([a.value, b.value, *a.leave_out, *b.leave_out]).all():
        return Estimate(a.value - b.value)
    return jackknife(a.value - b.value, a.leave_out - b.leave_out)
