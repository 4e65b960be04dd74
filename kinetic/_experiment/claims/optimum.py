"""The claim that a score is best, or worst, at an energy inside."""

from __future__ import annotations

import math
from typing import Literal, final

import attrs

from kinetic import evidence, options
from kinetic._experiment.claims.claim import Claim, Part
from kinetic._experiment.claims.known import ENERGY, Known
from kinetic._experiment.claims.results import Results, column_in
from kinetic._experiment.over_runs import estimate_over_runs
from kinetic._sample.run import Run
from kinetic.errors import OptionError
from kinetic.evidence import Estimate, TwoLines

BELOW, ABOVE = "slope below", "slope above"
"""Under which the slopes of the two lines stand, in place of views."""


@final
@attrs.frozen(kw_only=True)
class OptimumClaim(Claim):
    """A score of single samples rises with an energy up to some point inside and falls from there; by two lines.

    Over several runs the slopes and the fifths are averaged over them.

    Args:
        energy: the column of a meter.
        direction: whether there is a `maximum` or a `minimum`.
        delta: the smallest prominence that matters, in standard deviations of the score.
    """

    energy: str = options.text(doc="the column of a meter")
    direction: Literal["maximum", "minimum"] = options.choice("maximum", "minimum", default="maximum")
    delta: float = options.number(0.2, above=0, doc="the smallest prominence that matters, in sd")

    def check_arm(self, arm: str, known: Known) -> None:
        known.check_arm(arm)
        known.check_energy(arm, self.energy)

    def part(self, arm: str, score: str, results: Results) -> Part:
        what = f"{self.direction} of {score} over {self.energy} in {arm}"
        metric, column = results.score(arm, score)
        units = [[self._lines(results.runs[run], metric, column.name) for run in unit] for unit in results.units[arm]]
        if any(isinstance(each, str) for unit in units for each in unit):
            return Part(what, because=next(each for unit in units for each in unit if isinstance(each, str)))
        lines = [[each for each in unit if isinstance(each, TwoLines)] for unit in units]
        below, above, *ends = self._numbers([[_numbers(each) for each in unit] for unit in lines], results.of)
        sign = 1 if self.direction == "maximum" else -1
        fifths = list(zip(ends[::2], ends[1::2], strict=True))
        found = evidence.optimum_finding(_signed(below, sign), _signed(above, sign), fifths, self.delta)
        slopes = {BELOW: below, ABOVE: above}
        return Part(what, slopes, found, self.delta, " sd", results.n(arm))

    @staticmethod
    def _numbers(units: list[list[list[Estimate]]], of: str) -> list[Estimate]:
        """Those of the run, or the mean of each over runs."""
        first = units[0][0]
        if not of:
            return first
        means = (estimate_over_runs([[run[i] for run in unit] for unit in units]) for i in range(len(first)))
        return [mean or Estimate(math.nan) for mean in means]

    def _lines(self, run: Run, metric: str, name: str) -> TwoLines | str:
        """The two lines of a run, or why there are none."""
        energy, score = column_in(run, ENERGY, self.energy), column_in(run, metric, name)
        if energy is None or score is None:
            return "one of the two is no number of each sample"
        try:
            return evidence.two_lines(energy, score, self.direction, self.delta)
        except OptionError as error:
            return str(error)


def _numbers(lines: TwoLines) -> list[Estimate]:
    return [lines.below, lines.above, *(end for ends in lines.fifths for end in ends)]


def _signed(estimate: Estimate, sign: int) -> Estimate:
    if sign > 0 or estimate.low is None or estimate.high is None:
        return estimate
    return Estimate(-estimate.value, -estimate.high, -estimate.low, se=estimate.se, dof=estimate.dof)
