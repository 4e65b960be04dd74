"""The verdicts of a finished run as tables of a page: `python docs/_make/holds.py runs/claims PAGE`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from kinetic import FinishedRun, load_run
from kinetic._report.claims import verdicts
from kinetic._report.numbers import interval

MARK = "<!-- tables -->"
_SHOWN = ("kpe", "nfe", "f_mem", "f_mem_denoised", "margin", "fd")


def page(text: str, run: FinishedRun) -> str:
    """The text up to the mark, and the tables of the run."""
    head, mark, _ = text.partition(MARK)
    if not mark:
        raise SystemExit(f"the page must hold {MARK}")
    return "\n".join([head + mark, "", *_claims(run), "", *_arms(run), ""])


def _claims(run: FinishedRun) -> Iterator[str]:
    yield from _rows(("claim", "verdict", "p, after Holm", "decided by"))
    for (statement, words), row in zip(verdicts(run), run.claims, strict=True):
        _, _, numbers = words.partition(": ")
        yield from _rows((statement, f"**{row['word']}**", _p(row["adjusted"]), numbers), head=False)


def _p(value: float) -> str:
    return f"{value:.2g}" if value else "< 1e-300"  # what a float holds


def _arms(run: FinishedRun) -> Iterator[str]:
    names = [(metric, name) for name in _SHOWN for metric in dict.fromkeys(m for s in run.scores.values() for m in s)]
    there = [key for key in names if any(key[1] in run.scores[arm].get(key[0], {}) for arm in run.arms)]
    yield from _rows(("arm", *(f"{metric} {name}" for metric, name in there)))
    for arm in run.arms:
        cells = (interval(run.scores[arm].get(metric, {}).get(name)) for metric, name in there)
        yield from _rows((f"`{arm}`", *cells), head=False)


def _rows(cells: Sequence[str], head: bool = True) -> Iterator[str]:
    yield f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
    if head:
        yield f"|{'---|' * len(cells)}"


if __name__ == "__main__":
    folder, path = sys.argv[1], Path(sys.argv[2])
    path.write_text(page(path.read_text(encoding="utf-8"), load_run(folder)), encoding="utf-8")
