"""What the tables of the report say; the page and the terminal print these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from kinetic._evaluate.views import PLAIN, split
from kinetic._report import columns
from kinetic._report.numbers import format_aligned
from kinetic._store.run_folder import FinishedRun

STEP = "one more Euler step that takes leftover noise off"


@attrs.frozen
class Table:
    """A table: a title, what it means in a sentence or two, the head, the rows; marks say how a row is to be read."""

    title: str
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marks: tuple[str, ...] = ()


def energies(run: FinishedRun) -> list[Table]:
    """The energies, an arm a row, and how the paths were walked where a solver or a schedule says."""
    tables = []
    names = _there(run, columns.energies(run))
    if names:
        unit = columns.units(run, "energy", names)
        caption = f"Means over samples with 95% intervals{f', in {unit}' if unit else ''}."
        tables.append(_by_arm(run, "Energy", caption, "energy", names))
    walked = _there(run, columns.walked(run))
    if walked and walked != ["nfe"]:
        tables.append(_by_arm(run, "Path", "Means over samples with 95% intervals.", "energy", walked))
    return tables


def scores(run: FinishedRun) -> list[Table]:
    """A table for each metric, an arm a row."""
    names: dict[str, dict[str, None]] = {}
    for arm in run.arms:
        for metric, values in run.scores[arm].items():
            names.setdefault(metric, {}).update(dict.fromkeys(values))
    return [_by_arm(run, metric, "", metric, [*found]) for metric, found in names.items() if metric != "energy"]


def correlations(run: FinishedRun, arm: str) -> Table | None:
    """Spearman's rho of energies with scores in one arm, raw and partial."""
    caption = (
        "Spearman's rho over the samples of the arm, raw and with ||x0||^2, <x0, x1> and ||x1||^2 held fixed. Bold: "
        "both intervals exclude 0."
    )
    head = ("energy", "score", "rho", "partial rho")

    def clear(row: Mapping[str, Any]) -> bool:
        return excludes_zero(row["raw"]) and excludes_zero(row["partial"])

    rows = _shown(run.evidence["correlations"].get(arm, []))
    return _of_rows(f"Energy and outcome: {arm}", caption, head, rows, ("raw", "partial"), clear)


def groups(run: FinishedRun, arm: str) -> Table | None:
    """Mean score of the samples with the lowest and the highest energy."""
    caption = (
        "Mean score of the fifth of the samples with the lowest and the highest energy, as the paper splits them. "
        "Bold: the interval of the difference excludes 0."
    )
    head = ("energy", "score", "lowest fifth", "highest fifth", "high - low")

    def clear(row: Mapping[str, Any]) -> bool:
        return excludes_zero(row["difference"])

    rows = _shown(run.evidence["groups"].get(arm, []))
    return _of_rows(f"Low and high energy: {arm}", caption, head, rows, ("low", "high", "difference"), clear)


def excludes_zero(estimate: Mapping[str, Any] | None) -> bool:
    """Whether the interval excludes 0."""
    if estimate is None or estimate.get("low") is None:
        return False
    return bool(estimate["low"] > 0 or estimate["high"] < 0)


def _shown(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [row for row in rows if row["shown"]]


def _of_rows(
    title: str,
    caption: str,
    head: tuple[str, ...],
    rows: Sequence[Mapping[str, Any]],
    keys: tuple[str, ...],
    clear: Callable[[Mapping[str, Any]], bool],
) -> Table | None:
    cells = tuple(
        (row["energy"], f"{row['metric']}.{row['score']}", *format_aligned([row[key] for key in keys])) for row in rows
    )
    marks = tuple("clear" if clear(row) else "" for row in rows)
    return Table(title, caption, head, cells, marks) if rows else None


def _there(run: FinishedRun, names: Sequence[str]) -> list[str]:
    return [name for name in names if any(run.scores[arm]["energy"].get(name) for arm in run.arms)]


def _by_arm(run: FinishedRun, title: str, caption: str, metric: str, names: list[str]) -> Table:
    cells = [format_aligned([run.scores[arm].get(metric, {}).get(name) for arm in run.arms]) for name in names]
    words = [caption] if caption else []
    words += columns.sentences(run, metric, names)
    if any(split(name)[1] != PLAIN for name in names):
        words.append(f"'denoised' is the same after {STEP}.")
    return Table(title, " ".join(words), ("arm", *names), tuple(zip(run.arms, *cells, strict=True)))
