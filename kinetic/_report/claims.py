"""What a run says of the claims that its recipe declared, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kinetic._evaluate.views import PLAIN
from kinetic._report.numbers import format_aligned, number
from kinetic._store.finished_run import FinishedRun

EXPLORATORY = "Exploratory: not declared before the run."
"""What stands above all that is no declared claim."""

_LATE = "Declared when the run had been finished before, so it is exploratory."


def verdicts(run: FinishedRun) -> tuple[tuple[str, str], ...]:
    """Statement and verdict of each, the word first, then the numbers it was decided by."""
    return tuple((row["statement"], _said(row)) for row in run.claims)


def lead(run: FinishedRun) -> str:
    """How the claims were decided; empty without any."""
    if not run.claims:
        return ""
    n = len(run.claims)
    return (
        f"{n} declared {'claim' if n == 1 else 'claims'}. It holds: the 95% interval lies on the claimed side, after "
        "Holm over all of them. It does not hold: the interval lies wholly below the smallest effect that matters. "
        "What was measured in several views, scores or arms must say so in each. All else on this page is exploratory."
    )


def _said(row: Mapping[str, Any]) -> str:
    numbers = "; ".join(_part(part) for part in row["parts"])
    late = f" {_LATE}" if row["post_hoc"] else ""
    return f"{_word(row)}: {numbers}.{late}"


def _word(row: Mapping[str, Any]) -> str:
    word: str = row["word"].capitalize()
    if row["word"] != "undecided" or not any(part["views"] for part in row["parts"]):
        return word
    if row["n_to_decide"] is None:
        return f"{word}, and more {row['of']} would not decide"
    return f"{word}; about {row['n_to_decide']:,} {row['of']} would decide, were these the truth"


def _part(part: Mapping[str, Any]) -> str:
    if part["because"]:
        return f"{part['what']}: {part['because']}"
    cells = format_aligned(list(part["views"].values()))
    first, *others = [
        f"{view} {cell}" if view != PLAIN else cell for view, cell in zip(part["views"], cells, strict=True)
    ]
    beside = others + ([f"{number(part['delta'], 2)}{part['unit']} would matter"] if part["delta"] else [])
    return f"{part['what']} {first}" + (f" ({', '.join(beside)})" if beside else "")
