"""Whether an effect is too small to matter, and what a test of it gives."""

from __future__ import annotations

from kinetic.evidence._estimate import Estimate, margin, quantile

_TOST = 0.90  # two one-sided tests at 5%


def equivalent(estimate: Estimate, delta: float) -> bool:
    """Whether the 90% interval lies within +- delta: two one-sided tests at 5%. False without an interval.

    The ends of the 95% interval are drawn in by the ratio of the quantiles, which is exact for Student's and normal
    intervals and keeps the lopsidedness of the others.

    Source: Schuirmann, J. Pharmacokinetics and Biopharmaceutics 15 (1987).
    """
    delta = margin(delta)
    if estimate.low is None or estimate.high is None:
        return False
    ratio = quantile(estimate.dof, _TOST) / quantile(estimate.dof)
    low = estimate.value - ratio * (estimate.value - estimate.low)
    high = estimate.value + ratio * (estimate.high - estimate.value)
    return -delta <= low and high <= delta


def p_value(estimate: Estimate) -> float | None:
    """The two-sided p-value of 0, below 5% just where the interval misses 0. None without an interval.

    The standard error is that of the end nearer to 0, (value - end)/1.96, or Student's quantile for 1.96.
    """
    from scipy.special import ndtr, stdtr

    if estimate.low is None or estimate.high is None:
        return None
    reach = estimate.value - estimate.low if estimate.value > 0 else estimate.high - estimate.value
    if reach == 0:
        return 1.0 if estimate.value == 0 else 0.0
    t = abs(estimate.value) / reach * quantile(estimate.dof)
    return float(2 * (ndtr(-t) if estimate.dof is None else stdtr(estimate.dof, -t)))
