"""How well a signal finds the samples of a kind."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinetic.errors import OptionError
from kinetic.evidence._estimate import Array, Estimate, pair, quantile


def auc(signal: ArrayLike, hits: ArrayLike) -> Estimate:
    """The area under the ROC curve: how probably a hit has a higher signal than a miss, equal ones counting half.

    The interval is DeLong's standard error on the logit scale, which keeps it inside (0, 1). 0.5 is chance, and below
    it the negative of the signal is the detector. A signal that separates both without fault, 0 or 1, has no interval.

    Args:
        signal: `(n,)`.
        hits: `(n,)`, true or false, or 1 and 0: two or more of each.
    Source: DeLong, DeLong & Clarke-Pearson, Comparing the areas under two or more correlated receiver operating
        characteristic curves, Biometrics 44 (1988).
    """
    value, of_hits, of_misses = _placements(signal, hits)
    se = float(np.sqrt(of_hits.var(ddof=1) / len(of_hits) + of_misses.var(ddof=1) / len(of_misses)))
    if not 0 < value < 1:
        return Estimate(value)
    middle, half = np.log(value / (1 - value)), quantile() * se / (value * (1 - value))
    low, high = (float(1 / (1 + np.exp(-end))) for end in (middle - half, middle + half))
    return Estimate(value, low, high, se=se)


def auc_difference(one: ArrayLike, other: ArrayLike, hits: ArrayLike) -> Estimate:
    """The AUC of one signal minus that of another on the same samples, with DeLong's interval for the pair."""
    (first, ours, ours_not), (second, theirs, theirs_not) = _placements(one, hits), _placements(other, hits)
    of_hits, of_misses = ours - theirs, ours_not - theirs_not
    se = float(np.sqrt(of_hits.var(ddof=1) / len(of_hits) + of_misses.var(ddof=1) / len(of_misses)))
    if se == 0:
        return Estimate(first - second)
    half = quantile() * se
    return Estimate(first - second, first - second - half, first - second + half, se=se)


def _placements(signal: ArrayLike, hits: ArrayLike) -> tuple[float, Array, Array]:
    """The AUC, for each hit the share of misses below it, and for each miss the share of hits above it."""
    x, y = pair(signal, hits, "signal", "hits")
    if not np.isin(y, (0, 1)).all():
        raise OptionError("'hits' must hold true and false, or 1 and 0")
    of_hits, of_misses = x[y == 1], x[y == 0]
    if min(len(of_hits), len(of_misses)) < 2:
        raise OptionError(f"'hits' must hold two or more of each kind: {len(of_hits)} hits, {len(of_misses)} misses")
    below = _shares_below(of_hits, of_misses)
    return float(below.mean()), below, 1 - _shares_below(of_misses, of_hits)


def _shares_below(x: Array, among: NDArray[np.float64]) -> Array:
    ordered = np.sort(among)
    left, right = (np.searchsorted(ordered, x, side) for side in ("left", "right"))
    shares: Array = (left + right) / (2 * len(ordered))
    return shares
