"""The claim that a score of an arm is lower or higher than its baseline's, or that the two are equal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import attrs

from kinetic import evidence, options
from kinetic._evaluate.views import PLAIN
from kinetic._experiment.claims.claim import Claim, Part
from kinetic._experiment.claims.known import Known
from kinetic._experiment.claims.results import Results
from kinetic.evidence import Claimed


@final
@attrs.frozen(kw_only=True)
class DifferenceClaim(Claim):
    """Arm minus baseline, paired by sample or run by run.

    Where noise was left in one of the two, the denoised difference and its control must both say so, whatever the plain
    one is; see `noise_verdict`.

    Args:
        baseline: the other arm; that of the arm in the recipe by default.
        direction: `higher` than the baseline, `lower`, `either`, or `equal`.
        delta: the smallest difference that matters, of a column in standard deviations of the baseline's over samples,
            of a score of the set, and of a column that does not vary, as a share of the baseline's; `delta` of
            `[evidence]` by default.
    """

    baseline: str | None = options.text(None, doc="the other arm")
    direction: Claimed = options.choice("higher", "lower", "either", "equal", default="higher")
    delta: float | None = options.number(None, above=0, doc="the smallest difference that matters")

    def pairs(self, baselines: Mapping[str, str]) -> list[tuple[str, str]]:
        return [(arm, self.baseline or baselines[arm]) for arm in self.arms]

    def check(self, known: Known) -> None:
        for arm in self.arms:
            known.check_arm(arm)
            if self.baseline in (None, arm):
                known.check_baseline(arm, self.baseline)
            for each in (arm, self.baseline or known.baselines[arm]):
                known.check_arm(each)
                for score in self.scores:
                    known.check_score(each, score)

    def part(self, arm: str, score: str, results: Results) -> Part:
        base = self.baseline or results.baselines[arm]
        what, known = f"{score}, {arm} minus {base}", results.difference(arm, base, score)
        if known is None:
            return Part(
                what, because="nothing is subtracted: other options or data, or too few samples for an interval"
            )
        delta = (results.delta if self.delta is None else self.delta) * known.scale
        others = [estimate for view, estimate in known.views.items() if view != PLAIN]
        found = evidence.finding(others or [known.views[PLAIN]], self.direction, delta)
        return Part(what, known.views, found, delta, n=known.n)
