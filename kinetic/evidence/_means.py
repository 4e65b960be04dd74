"""Means and differences of means."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from kinetic.evidence._estimate import LEVEL, Array, Estimate, column, pair, symmetric
from kinetic.evidence._proportions import tango
from kinetic.evidence._strata import Strata

RESAMPLES = 1000
SMALL, LARGE = 50, 5000
"""Below the first the bootstrap covers too little, and Student's t stands in; above the second the normal."""

ONE_TRAINING = "one training: holds for this net only"
"""What must stand beside every sentence about a way of training of which there was one run."""


def mean(values: ArrayLike, strata: ArrayLike | None = None) -> Estimate:
    """The mean of a column `(n,)` of independent numbers, with its interval (n >= 2).

    Below 50 numbers Student's, mean +- t sd/sqrt(n), t of n - 1 degrees of freedom; up to 5,000 the percentile
    bootstrap; above the normal interval, which by then is the same.

    Args:
        values: `(n,)`, finite.
        strata: `(n,)`, labels of classes that the ids fix. Then the spread is that within classes; see `Strata.within`.
    Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    x = column(values, "values")
    n, groups = len(x), Strata.of(strata, len(x))
    if n == 1 or groups.dof == 0:
        return Estimate(float(x.mean()))
    if np.ptp(x) == 0:
        return Estimate(float(x[0]), float(x[0]), float(x[0]), se=0.0, dof=groups.dof)
    y = groups.within(x)
    value, se = float(x.mean()), float(y.std(ddof=1) / np.sqrt(n))
    if n < SMALL:
        return symmetric(value, se, groups.dof)
    if n > LARGE:
        return symmetric(value, se)
    low, high = np.quantile(_weights(n) @ y, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(low), float(high), se=se)


def paired_difference(a: ArrayLike, b: ArrayLike, strata: ArrayLike | None = None) -> Estimate:
    """The mean of a - b over the same samples, `(n,)` each in the same order, with its interval as of `mean`.

    Of two columns of yes and no (bool) it is the difference of their shares with the interval of `tango`.
    """
    if np.asarray(a).dtype == np.bool_ and np.asarray(b).dtype == np.bool_:
        return tango(a, b, strata)
    x, y = pair(a, b)
    return mean(x - y, strata)


def over_runs(values: Sequence[float]) -> Estimate:
    """The mean of one number over K independent runs, or trainings, with Student's interval of K - 1 degrees.

    mean +- t sd/sqrt(K). It covers the spread between runs and within them in any ratio, since each run's number has
    both. One run has no interval: what it says is `ONE_TRAINING`.

    Args:
        values: `(K,)`, the number in each run.
    """
    x = column(values, "values")
    if len(x) == 1:
        return Estimate(float(x[0]))
    return symmetric(float(x.mean()), float(x.std(ddof=1) / np.sqrt(len(x))), len(x) - 1)


def one_more(values: Sequence[float], widened: float = 1.0) -> Estimate:
    """The mean of K numbers of one law, with the range in which one more lies with 95%: mean +- t sd sqrt(1 + 1/K).

    Args:
        values: `(K,)`, K >= 2.
        widened: what their standard deviation is multiplied by, where they scatter less than one more would.
    """
    x = column(values, "values")
    return symmetric(float(x.mean()), float(x.std(ddof=1) * widened * np.sqrt(1 + 1 / len(x))), len(x) - 1)


@lru_cache(maxsize=6)
def _weights(n: int) -> Array:
    """Bootstrap resamples of n as weights `(RESAMPLES, n)`, each row summing to 1; 40 MB at the most."""
    rng = np.random.default_rng([0, n])
    return rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES) / n
