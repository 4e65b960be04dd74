"""A row of the coverage tables."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import numpy as np

from kinetic.evidence import Estimate


@attrs.frozen
class Row:
    """One interval or verdict at one planted truth.

    Args:
        name: of the procedure.
        setting: the truth.
        n: samples.
        trial: draws samples and says whether the interval holds the truth, or the verdict's word.
        wrong: words that are false of the truth.
        replications: how many trials.
    """

    name: str
    setting: str
    n: int
    trial: Callable[[np.random.Generator], object]
    wrong: tuple[str, ...] = ()
    replications: int = 2000


def holds(estimate: Estimate | None, truth: float) -> bool:
    """Whether there is an interval that holds the truth."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return False
    return estimate.low <= truth + 1e-12 and estimate.high >= truth - 1e-12


def normal_pair(rng: np.random.Generator, n: int, r: float) -> tuple[np.ndarray, np.ndarray]:
    """Two normal columns of correlation r."""
    x = rng.normal(size=n)
    return x, r * x + np.sqrt(1 - r * r) * rng.normal(size=n)


def spearmans(r: float) -> float:
    """Spearman's rho of two normal columns of correlation r."""
    return float(6 / np.pi * np.arcsin(r / 2))
