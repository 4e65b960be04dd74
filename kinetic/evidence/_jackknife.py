"""The delete-a-group jackknife of set statistics."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinetic.errors import OptionError
from kinetic.evidence._estimate import Array, Estimate, column, symmetric

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
    return attrs.evolve(_symmetric(value, _variance(theta), len(theta)), leave_out=theta)


def two_jackknives(value: float, leave_out: ArrayLike, leave_out_reference: ArrayLike) -> Estimate:
    """A set statistic with its interval over draws of the samples and of the reference, which are independent.

    Its variance is the sum of those of `jackknife` over groups of samples and over groups of reference points.
    """
    samples, reference = column(leave_out, "leave_out"), column(leave_out_reference, "leave_out_reference")
    variance, count = _variance(samples) + _variance(reference), min(len(samples), len(reference))
    return attrs.evolve(_symmetric(value, variance, count), leave_out=samples, leave_out_reference=reference)


def comparable(a: Estimate, b: Estimate) -> bool:
    """Whether `jackknife_difference` can be: leave-out values of both over as many groups, of the reference as well."""

    def counts(estimate: Estimate) -> list[int]:
        return [-1 if x is None else len(x) for x in (estimate.leave_out, estimate.leave_out_reference)]

    return a.leave_out is not None and counts(a) == counts(b) and (a.unbiased is None) == (b.unbiased is None)


def jackknife_difference(a: Estimate, b: Estimate) -> Estimate:
    """a - b of two set statistics over the same samples, the jackknife paired by group.

    Where both have them, the difference is of the unbiased values, and the interval is over draws of the reference too,
    which both share, paired by its groups; else the reference is held fixed. There is no interval if one is NaN, or if
    no group matters, as where both are 0 whatever is left out.
    """
    if not comparable(a, b):
        raise OptionError("both estimates need leave-out values over the same groups of samples and of the reference")
    assert a.leave_out is not None
    assert b.leave_out is not None
    value = a.value - b.value if a.unbiased is None or b.unbiased is None else a.unbiased - b.unbiased
    samples = a.leave_out - b.leave_out
    if a.leave_out_reference is None or b.leave_out_reference is None:
        return jackknife(value, samples) if _moves(value, samples) else Estimate(value)
    reference = a.leave_out_reference - b.leave_out_reference
    return two_jackknives(value, samples, reference) if _moves(value, samples, reference) else Estimate(value)


def _symmetric(value: float, variance: float, count: int) -> Estimate:
    """value +- t se, with Student's t of `count` - 1 degrees."""
    if count < 2:
        raise OptionError(f"the jackknife needs 2 groups or more: {count}")
    return symmetric(value, float(np.sqrt(variance)), count - 1)


def _variance(theta: Array) -> float:
    return float((len(theta) - 1) / len(theta) * np.square(theta - theta.mean()).sum())


def _moves(value: float, *parts: Array) -> bool:
    """Whether leave-out values are numbers and some group matters: where none does there is no width to be told."""
    return bool(np.isfinite(np.concatenate([[value], *parts])).all()) and any(np.ptp(part) > 0 for part in parts)
