"""What an interval says of a claim."""

from __future__ import annotations

import math
from typing import Literal

import attrs

from kinetic.errors import OptionError
from kinetic.evidence._equivalence import equivalent, p_value
from kinetic.evidence._estimate import LEVEL, Estimate, margin, quantile
from kinetic.evidence._forecast import round_up, times_to_fit, times_to_pass

Word = Literal["holds", "holds, negligible", "does not hold", "undecided"]
Direction = Literal["higher", "lower", "either"]

_SIGNS = {"higher": 1, "lower": -1, "either": 0}


@attrs.frozen
class Verdict:
    """What is known of a claim.

    Args:
        word: `holds`, `holds, negligible`, `does not hold` or `undecided`.
        times: how many times as many samples would decide, were the value the truth; None where it is decided, and
            where no number would.
        n_to_decide: how many samples that are; None without their number too.
    """

    word: Word
    times: float | None = None
    n_to_decide: int | None = None


def verdict(
    estimate: Estimate, direction: Direction, delta: float, n: int | None = None, adjusted: float | None = None
) -> Verdict:
    """What an interval says of the claim that an effect is `higher` than 0, `lower`, or different (`either`).

    It holds where the interval lies on the claimed side of 0. It does not hold where the interval lies wholly below
    delta on the claimed side; for `either`, where the 90% interval lies within +- delta. Both: it holds, negligible.
    Else it is undecided; see `times_to_pass` for the n that would decide.

    Args:
        estimate: the effect with its interval.
        direction: the claimed side of 0.
        delta: the smallest effect that matters, >= 0.
        n: the samples, or runs, that the interval is of.
        adjusted: the p-value after `holm` where the claim is one of several: above 5% it does not count as holding.
    Source: Schuirmann, J. Pharmacokinetics and Biopharmaceutics 15 (1987), for the two one-sided tests.
    """
    delta = margin(delta)
    if direction not in _SIGNS:
        raise OptionError(f"'direction' must be one of higher, lower, either: {direction!r}")
    sign = _SIGNS[direction]
    if estimate.low is None or estimate.high is None:
        return Verdict("undecided")
    holds = (estimate.sign == sign if sign else estimate.sign != 0) and (adjusted is None or adjusted <= 1 - LEVEL)
    small = (estimate.high < delta if sign > 0 else -estimate.low < delta) if sign else equivalent(estimate, delta)
    if holds:
        return Verdict("holds, negligible" if small else "holds")
    if small:
        return Verdict("does not hold")
    holding, failing = _ways(estimate, sign, delta)
    times = min(holding * _price(estimate, adjusted), failing)
    if not math.isfinite(times):
        return Verdict("undecided")
    return Verdict("undecided", max(1.0, times), None if n is None else round_up(max(1.0, times) * n))


def _price(estimate: Estimate, adjusted: float | None) -> float:
    """By how much n must grow again for a claim of several: the square of the ratio of the normal quantiles."""
    alone = p_value(estimate)
    if adjusted is None or not alone or adjusted <= alone:
        return 1.0
    return (quantile(None, 1 - (1 - LEVEL) * alone / adjusted) / quantile()) ** 2


def _ways(estimate: Estimate, sign: int, delta: float) -> tuple[float, float]:
    """By how much n must grow until the claim holds, and until it does not."""
    if sign:
        return times_to_pass(estimate, sign), times_to_pass(estimate, -sign, sign * delta)
    return times_to_pass(estimate, -1 if estimate.value < 0 else 1), times_to_fit(estimate, delta)
