"""How many more samples would decide."""

from __future__ import annotations

import math

from kinetic.evidence._estimate import Estimate


def times_to_pass(estimate: Estimate, sign: int, bound: float = 0.0) -> float:
    """How many times as many samples draw the interval clear of a bound, were the value the truth.

    The arm of the interval that reaches for the bound shrinks as 1/sqrt(n): (arm/distance)^2. That many decide in half
    of the draws. Infinite where the value is on the wrong side, or there is no interval.

    Args:
        estimate: a value with its interval.
        sign: 1: the interval must come to lie above the bound; -1: below.
        bound: the bound.
    """
    distance = sign * (estimate.value - bound)
    if estimate.low is None or estimate.high is None or distance <= 0:
        return math.inf
    arm = estimate.value - estimate.low if sign > 0 else estimate.high - estimate.value
    return float((arm / distance) ** 2)


def times_to_fit(estimate: Estimate, delta: float) -> float:
    """The same until the interval lies within +- delta."""
    return max(times_to_pass(estimate, 1, -delta), times_to_pass(estimate, -1, delta))


def round_up(n: float) -> int:
    """To two significant digits: what a forecast is good for."""
    unit = 10 ** max(0, math.floor(math.log10(max(n, 1.0))) - 1)
    return math.ceil(n / unit) * unit
