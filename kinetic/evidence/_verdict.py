"""What an interval says of a claim."""

from __future__ import annotations

from typing import Literal

from kinetic.errors import OptionError
from kinetic.evidence._estimate import Estimate
from kinetic.evidence._finding import Verdict, decide, finding

Direction = Literal["higher", "lower", "either"]


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
    if direction not in ("higher", "lower", "either"):
        raise OptionError(f"'direction' must be one of higher, lower, either: {direction!r}")
    return decide(finding((estimate,), direction, delta), n, adjusted)
