"""The claim that a score of an arm is at least, or at most, some number."""

from __future__ import annotations

from functools import partial
from typing import final

import attrs

from kinetic import evidence, options
from kinetic._evaluate.views import DENOISED, PLAIN
from kinetic._experiment.claims.claim import Claim, Part
from kinetic._experiment.claims.results import Results, value_in
from kinetic._roles.column import Column
from kinetic._sample.run import Run
from kinetic.errors import OptionError
from kinetic.evidence import Estimate


@final
@attrs.frozen(kw_only=True)
class ThresholdClaim(Claim):
    """A score, or the mean of an energy, beside a number; where noise was left, that of the denoised samples too.

    Args:
        at_least, at_most: the number, one of the two.
        delta: by how much it must be passed to matter, in units of the score.
    """

    at_least: float | None = options.number(None)
    at_most: float | None = options.number(None)
    delta: float = options.number(0.0, at_least=0, doc="by how much it must be passed to matter")

    def __attrs_post_init__(self) -> None:
        if (self.at_least is None) == (self.at_most is None):
            both = self.at_least is not None
            raise OptionError(f"one of 'at_least' and 'at_most' must be given, not {'both' if both else 'neither'}")

    def part(self, arm: str, score: str, results: Results) -> Part:
        metric, column = results.score(arm, score)
        views = {view: results.over(arm, partial(_value, view, metric, column)) for view in (PLAIN, DENOISED)}
        there = {view: value for view, value in views.items() if value is not None}
        what = f"{score} in {arm}"
        if PLAIN not in there:
            return Part(what, because="it has no value")
        least = self.at_least is not None
        bound = self.at_least if self.at_least is not None else self.at_most or 0.0
        found = evidence.finding(
            [_minus(value, bound) for value in there.values()], "higher" if least else "lower", self.delta
        )
        return Part(
            f"{what} {'at least' if least else 'at most'} {bound:g}", there, found, self.delta, n=results.n(arm)
        )


def _value(view: str, metric: str, column: Column, run: Run) -> Estimate | None:
    return value_in(run, view, metric, column)


def _minus(value: Estimate, bound: float) -> Estimate:
    low, high = (None if end is None else end - bound for end in (value.low, value.high))
    return Estimate(value.value - bound, low, high, se=value.se, dof=value.dof)
