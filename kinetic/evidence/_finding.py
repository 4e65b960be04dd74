"""How far numbers speak for a claim, and against it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

import attrs

from kinetic.errors import OptionError
from kinetic.evidence._equivalence import p_value
from kinetic.evidence._estimate import LEVEL, Estimate, margin, quantile
from kinetic.evidence._forecast import round_up, times_to_fit, times_to_pass

Word = Literal["holds", "holds, negligible", "does not hold", "undecided"]
Claimed = Literal["higher", "lower", "either", "equal"]

_SIGNS = {"higher": 1, "lower": -1}
_ROUNDING = 1e-12  # an interval that ends at delta is not below it


@attrs.frozen
class Verdict:
    """What is known of a claim.

    Args:
        word: `holds`, `holds, negligible`, `does not hold` or `undecided`.
        times: how many times as many samples would decide, were the value the truth; None where it is decided, and
            where no number would.
        n_to_decide: how many samples that is; None without their number too.
    """

    word: Word
    times: float | None = None
    n_to_decide: int | None = None


@attrs.frozen
class Finding:
    """How far numbers speak for a claim, and against it.

    Args:
        p: the p-value of no effect on the claimed side; of a claim of none, that of one of delta or more.
        against: the p-value of an effect of delta or more on the claimed side; of a claim of none, that of one below.
        holding, failing: by how much n must grow until the first, and until the second, is 5%, were the values the
            truth.
    """

    p: float = 1.0
    against: float = 1.0
    holding: float = math.inf
    failing: float = math.inf


def finding(views: Sequence[Estimate], direction: Claimed, delta: float) -> Finding:
    """How far an effect speaks for the claim that it is `higher` than 0, `lower`, different (`either`) or `equal` to 0.

    Where it was measured in several ways, all of them must: p-values are the largest over the views. For `higher` p is
    the two-sided p-value of 0 where the effect lies above it, and `against` that of delta where it lies below delta;
    for `lower` the other way about. For `either` p is that of 0, with all views on one side, and `against` the larger
    of the two one-sided p-values of +- delta; for `equal` p is the latter, and `against` that of delta or of -delta
    where the effect lies beyond it. Without an interval nothing speaks.

    Args:
        views: the effect as each way of measuring has it.
        direction: what is claimed.
        delta: the smallest effect that matters, >= 0.
    Source: for one measure in several ways R. L. Berger, Technometrics 24 (1982); for the two one-sided tests
        Schuirmann, J. Pharmacokinetics and Biopharmaceutics 15 (1987).
    """
    delta = margin(delta)
    if direction not in (*_SIGNS, "either", "equal"):
        raise OptionError(f"'direction' must be one of higher, lower, either, equal: {direction!r}")
    if not views or any(each.low is None or each.high is None for each in views):
        return Finding()
    if direction in _SIGNS:
        sign = _SIGNS[direction]
        return _joined(_to_side(each, sign, delta) for each in views)
    differs = min((_joined(_to_side(each, sign) for each in views) for sign in (1, -1)), key=lambda side: side.p)
    fits = max(_within(each, delta) for each in views), max(times_to_fit(each, delta) for each in views)
    if direction == "either":
        return Finding(differs.p, fits[0], differs.holding, fits[1])
    sides = (_joined(_beyond(each, sign, delta) for each in views) for sign in (1, -1))
    outside = min(sides, key=lambda side: side.p)
    return Finding(fits[0], outside.p, fits[1], outside.holding)


def joint(findings: Sequence[Finding]) -> Finding:
    """Of several claims that are made as one, that all of them are true.

    It holds where each does: p is the largest. It fails where one does: `against` is Bonferroni's, the smallest times
    their number.
    """
    if not findings:
        return Finding()
    return Finding(
        max(each.p for each in findings),
        min(1.0, len(findings) * min(each.against for each in findings)),
        max(each.holding for each in findings),
        min(each.failing * _price(each.against, len(findings) * each.against) for each in findings),
    )


def decide(known: Finding, n: int | None = None, adjusted: float | None = None) -> Verdict:
    """What is said of a claim: it holds where p, and p `adjusted` by `holm`, are 5% at the most.

    It does not hold where `against` is below 5%. Both: it holds, negligible. Else it is undecided.

    Args:
        known: of the claim.
        n: the samples, or runs, that it is of.
        adjusted: the p-value after `holm` where the claim is one of several.
    """
    holds = max(known.p, adjusted or 0.0) <= 1 - LEVEL
    small = known.against < 1 - LEVEL - _ROUNDING
    if holds:
        return Verdict("holds, negligible" if small else "holds")
    if small:
        return Verdict("does not hold")
    times = min(known.holding * _price(known.p, adjusted), known.failing)
    if not math.isfinite(times):
        return Verdict("undecided")
    return Verdict("undecided", max(1.0, times), None if n is None else round_up(max(1.0, times) * n))


def beyond(estimate: Estimate, bound: float, sign: int) -> float:
    """The two-sided p-value of a bound where a number lies above it (`sign` 1) or below (-1); else 1."""
    assert estimate.low is not None
    assert estimate.high is not None
    if sign * (estimate.value - bound) <= 0:
        return 1.0
    ends = estimate.value - bound, estimate.low - bound, estimate.high - bound
    p = p_value(Estimate(*ends, dof=estimate.dof))
    assert p is not None
    return p


def _to_side(estimate: Estimate, sign: int, delta: float = 0.0) -> Finding:
    return Finding(
        beyond(estimate, 0.0, sign),
        beyond(estimate, sign * delta, -sign),
        times_to_pass(estimate, sign),
        times_to_pass(estimate, -sign, sign * delta),
    )


def _beyond(estimate: Estimate, sign: int, delta: float) -> Finding:
    return Finding(beyond(estimate, sign * delta, sign), holding=times_to_pass(estimate, sign, sign * delta))


def _within(estimate: Estimate, delta: float) -> float:
    """The larger of the two one-sided p-values of +- delta."""
    return max(beyond(estimate, -delta, 1), beyond(estimate, delta, -1)) / 2


def _joined(views: Iterable[Finding]) -> Finding:
    """Of one effect seen in several ways, all of which must say so."""
    every = list(views)
    return Finding(*(max(getattr(each, field.name) for each in every) for field in attrs.fields(Finding)))


def _price(p: float, adjusted: float | None) -> float:
    """By how much n must grow again for a claim of several: the square of the ratio of the normal quantiles."""
    if adjusted is None or not p or adjusted <= p:
        return 1.0
    return (quantile(None, 1 - (1 - LEVEL) * p / adjusted) / quantile()) ** 2
