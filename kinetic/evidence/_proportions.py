"""Shares of yes, and differences of them over the same samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from kinetic.errors import OptionError
from kinetic.evidence._estimate import Array, Estimate, column, pair, quantile
from kinetic.evidence._strata import Strata

_HALVINGS = 60  # of an interval no longer than 2: to rounding


def proportion(hits: ArrayLike, strata: ArrayLike | None = None) -> Estimate:
    """The share of true entries, with Wilson's score interval, which stays honest at 0 and at 1.

    With strata n is the number of independent samples that would know the share as well, n / deff with the design
    effect deff = sum_h (n_h/n)^2 p_h(1 - p_h)/n_h / (p(1 - p)/n) <= 1, where p_h = (k_h + 1)/(n_h + 2).

    Args:
        hits: `(n,)`, true or false, or 1 and 0.
        strata: `(n,)`, labels of classes that the ids fix.
    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927). With
        strata: Dean & Pagano, Evaluating confidence interval methods for binomial proportions in clustered surveys,
        J. Survey Statistics and Methodology 3 (2015).
    """
    x = _yes_no(column(hits, "hits"), "hits")
    p, z = float(x.mean()), quantile()
    groups = Strata.of(strata, len(x))
    share = (groups.sums(x) + 1) / (groups.counts + 2)
    n = len(x) / _design_effect(groups, share * (1 - share), p * (1 - p))
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = float(middle - half), float(middle + half)
    ends = low if p > 0 else 0.0, high if p < 1 else 1.0  # exact at the ends, rounding aside
    return Estimate(p, *ends, se=float(half / z))


def tango(a: ArrayLike, b: ArrayLike, strata: ArrayLike | None = None) -> Estimate:
    """The difference of two shares over the same samples, mean(a) - mean(b), with Tango's score interval.

    It holds every d with (y - m - n d)^2 <= 1.96^2 n (2 q + d(1 - d)), where y pairs are yes and no, m are no and yes,
    and q is the likeliest probability of the second kind given d, the positive root of
    2n q^2 + ((2n - y + m) d - y - m) q - m d(1 - d) = 0. Without a discordant pair it is +- 1.96^2/(n + 1.96^2).

    Args:
        a, b: `(n,)`, true or false, or 1 and 0, in the same order.
        strata: `(n,)`, labels of classes that the ids fix: all counts are divided by the design effect, from cells with
            1/2 added as in Agresti & Min, Statistics in Medicine 24 (2005).
    Source: T. Tango, Equivalence test and confidence interval for the difference in proportions for the paired-sample
        design, Statistics in Medicine 17 (1998).
    """
    x, y = pair(a, b)
    x, y = _yes_no(x, "a"), _yes_no(y, "b")
    only_a, only_b = x * (1 - y), y * (1 - x)
    value, discordant = float(x.mean() - y.mean()), float(only_a.mean() + only_b.mean())
    groups = Strata.of(strata, len(x))
    of_a, of_b = ((groups.sums(cell) + 0.5) / (groups.counts + 2) for cell in (only_a, only_b))
    effect = _design_effect(groups, of_a + of_b - (of_a - of_b) ** 2, discordant - value**2)
    counts = len(x) / effect, float(only_a.sum()) / effect, float(only_b.sum()) / effect
    low, high = _end(*counts, value, -1.0), _end(*counts, value, 1.0)
    return Estimate(value, low, high, se=(high - low) / 2 / quantile())


def _yes_no(x: Array, name: str) -> Array:
    if not np.isin(x, (0, 1)).all():
        raise OptionError(f"{name!r} must be true or false, 0 or 1")
    return x


def _design_effect(groups: Strata, within: Array, variance: float) -> float:
    """By what the strata shrink the variance of a mean: of variances `(H,)` within them, and of all together."""
    if len(groups.counts) == 1 or variance <= 0:
        return 1.0
    n = len(groups.codes)
    return min(1.0, float(groups.counts @ within) / n / variance)


def _end(n: float, only_a: float, only_b: float, value: float, limit: float) -> float:
    """The end of Tango's interval between the value and the limit, -1 or 1, by halving."""
    inside, outside = value, limit
    if _accepted(n, only_a, only_b, limit):
        return limit
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if _accepted(n, only_a, only_b, middle) else (inside, middle)
    return inside


def _accepted(n: float, only_a: float, only_b: float, d: float) -> bool:
    b = (2 * n - only_a + only_b) * d - only_a - only_b
    q = (np.sqrt(max(b * b + 8 * n * only_b * d * (1 - d), 0.0)) - b) / (4 * n)
    variance = n * (2 * q + d * (1 - d))
    return bool((only_a - only_b - n * d) ** 2 <= quantile() ** 2 * max(variance, 0.0))
