"""What scores say of real data in the place of samples, beside what they say of the arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kinetic._report import columns
from kinetic._report.numbers import interval, number
from kinetic._report.tables import Table
from kinetic._store.finished_run import FinishedRun

_CAPTION = (
    "The score of real points in the place of samples, compared with the rest of the data, and the range in which one "
    "more such score lies with 95%; beside it each arm's, of as many samples compared with as many points. What lies "
    "in the range is not told from real by this score. Bold: some arm lies outside."
)


def floors(run: FinishedRun) -> Table | None:
    """A score a row: at which sizes, real against real, and the arms."""
    by_score: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in run.evidence.get("noise_floor", []):
        if row["arm"] in run.drawn and columns.meaning(run, row["metric"], row["name"])["main"]:
            key = row["metric"], row["name"], row["n"], row["m"], *row["real"].values()
            by_score.setdefault(key, []).append(row)
    arms = [arm for arm in run.drawn if any(arm == row["arm"] for rows in by_score.values() for row in rows)]
    if not arms:
        return None
    cells = tuple(_cells(rows, arms) for rows in by_score.values())
    marks = tuple("clear" if any(map(_is_outside, rows)) else "" for rows in by_score.values())
    return Table("Real against real", _CAPTION, ("score", "sizes", "real against real", *arms), cells, marks)


def _cells(rows: Sequence[Mapping[str, Any]], arms: Sequence[str]) -> tuple[str, ...]:
    first, values = rows[0], {row["arm"]: row["value"] for row in rows}
    sizes = f"{first['n']:,} against {first['m']:,}" if first["m"] else f"{first['n']:,}"
    shown = (number(values.get(arm)) for arm in arms)
    return f"{first['metric']} {first['name']}", sizes, interval(first["real"]), *shown


def _is_outside(row: Mapping[str, Any]) -> bool:
    low, high = row["real"]["low"], row["real"]["high"]
    return low is not None and not low <= row["value"] <= high
