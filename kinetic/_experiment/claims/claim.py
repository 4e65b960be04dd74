"""The abstract claim, and what the numbers of a run say of a part of it."""

from __future__ import annotations

import abc
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from kinetic import options
from kinetic._experiment.claims.known import Known
from kinetic._experiment.claims.results import Results
from kinetic.evidence import Estimate, Finding


@attrs.frozen(eq=False)
class Part:
    """What is said of one arm and one score.

    Args:
        what: which number it is, in words.
        views: `{view: Estimate}`, the number as it was measured.
        finding: how far it speaks for the claim, and against it.
        delta: the smallest effect that matters.
        unit: of delta, where it is not that of the number: " sd".
        n: how many samples, or runs, it is of.
        because: why there is no number, where there is none.
    """

    what: str
    views: Mapping[str, Estimate] = attrs.field(factory=dict)
    finding: Finding = attrs.field(factory=Finding)
    delta: float = 0.0
    unit: str = ""
    n: int = 0
    because: str = ""

    def to_json(self) -> dict[str, Any]:
        """As `evidence.json` has it."""
        views = {view: estimate.to_json() for view, estimate in self.views.items()}
        rest = {"delta": self.delta, "unit": self.unit, "n": self.n, "because": self.because}
        return {"what": self.what, "views": views, **rest}


@attrs.frozen(kw_only=True)
class Claim(abc.ABC):
    """A sentence that a run is to decide, and the numbers that decide it.

    Args:
        statement: the claim in words.
        arms: the arms that it is made of: it holds where it holds in each.
        scores: each `METRIC.NAME`, or the name of an energy; it is made of each.
    """

    statement: str = options.text()
    arms: tuple[str, ...] = options.texts(at_least=1, alone=True)
    scores: tuple[str, ...] = options.texts(at_least=1, alone=True, doc="METRIC.NAME, or the name of an energy")

    def pairs(self, baselines: Mapping[str, str]) -> list[tuple[str, str]]:
        """The arms that it compares, each with its baseline; `{arm: arm}` are those of the recipe."""
        return []

    def check(self, known: Known) -> None:
        """Refuse what the recipe has no arm, energy or score for.

        Raises:
            UnknownNameError, OptionError: there is something.
        """
        for arm in self.arms:
            self.check_arm(arm, known)
            for score in self.scores:
                known.check_score(arm, score)

    def check_arm(self, arm: str, known: Known) -> None:
        """Refuse an arm that the claim cannot be made of, whatever the score."""
        known.check_arm(arm)

    def parts(self, results: Results) -> Iterator[Part]:
        """What a run says, arm by arm and score by score."""
        return (self.part(arm, score, results) for arm in self.arms for score in self.scores)

    @abc.abstractmethod
    def part(self, arm: str, score: str, results: Results) -> Part:
        """What a run says of one arm and one score."""
