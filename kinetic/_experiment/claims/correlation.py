"""The claim that an energy and a score of the same samples go together."""

from __future__ import annotations

import math
from functools import partial
from typing import final

import attrs

from kinetic import evidence, options
from kinetic._evaluate.views import PLAIN
from kinetic._experiment.claims.claim import Claim, Part
from kinetic._experiment.claims.known import ENERGY, Known
from kinetic._experiment.claims.results import Results, column_in
from kinetic._experiment.within_arm import classes
from kinetic._roles.column import Column
from kinetic._sample.columns import NORMS
from kinetic._sample.run import Run
from kinetic.errors import OptionError
from kinetic.evidence import Claimed, Estimate

_GIVEN = {"nothing": "", "norms": " given the norms", "class": " within classes"}


@final
@attrs.frozen(kw_only=True)
class CorrelationClaim(Claim):
    """Spearman's rho of an energy with a score over the samples of an arm.

    Given the norms it is the generalised covariance measure over sqrt(n): mean(r_x r_y)/sd(r_x r_y) of what cubic
    polynomials of ||x0||^2, <x0, x1> and ||x1||^2 leave of both, with 1/sqrt(n) for its standard error.

    Args:
        energy: the column of a meter.
        direction: `higher`: they rise together; `lower`: one falls; `either`; or `equal` to 0.
        given: what is held fixed: `nothing`, the `norms`, or the `class`.
        delta: the smallest rho that matters.
    """

    energy: str = options.text(doc="the column of a meter")
    direction: Claimed = options.choice("higher", "lower", "either", "equal", default="higher")
    given: str = options.choice(*_GIVEN, default="nothing", doc="what is held fixed")
    delta: float = options.number(0.1, above=0, below=1, doc="the smallest rho that matters")

    def check_arm(self, arm: str, known: Known) -> None:
        known.check_arm(arm)
        known.check_energy(arm, self.energy)

    def check(self, known: Known) -> None:
        super().check(known)
        if self.energy in NORMS and self.given == "norms":
            raise OptionError(f"'energy' is one of the norms that are held fixed: {self.energy!r}")

    def part(self, arm: str, score: str, results: Results) -> Part:
        what = f"rho of {self.energy} with {score}{_GIVEN[self.given]} in {arm}"
        rho = results.over(arm, partial(self._rho, *results.score(arm, score)))
        if rho is None:
            return Part(what, because="one of the two varies too little, or is no number of each sample")
        found = evidence.finding((rho,), self.direction, self.delta)
        return Part(what, {PLAIN: rho}, found, self.delta, n=results.n(arm))

    def _rho(self, metric: str, column: Column, run: Run) -> Estimate | None:
        keep = run.reached.numpy()
        table = {each: column_in(run, ENERGY, each) for each in (self.energy, *NORMS)}
        table["score"] = column_in(run, metric, column.name)
        held = NORMS if self.given == "norms" else ()
        if any(table[each] is None for each in (self.energy, "score", *held)) or not keep.any():
            return None
        (row,) = evidence.spearman(
            {each: values for each, values in table.items() if values is not None},
            [self.energy], ["score"], held, classes(run, keep),
        )  # fmt: skip
        if self.given == "norms":
            return _of_gcm(row.gcm, row.n)
        return row.within if self.given == "class" else row.raw


def _of_gcm(gcm: float | None, n: int) -> Estimate | None:
    """What is standard normal where nothing is left, as a number of the size of a correlation."""
    return None if gcm is None else evidence.symmetric(gcm / math.sqrt(n), 1 / math.sqrt(n))
