"""What a search gave, on a terminal: a picture, the candidates, and the verdicts on noise of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from kinetic._report.numbers import interval, number
from kinetic._terminal import add_row, draw, say

_WIDE, _HIGH = 56, 12  # characters of the picture


def print_tuned(held: Mapping[str, Any], console: Console) -> None:
    """Print what `tune.json` holds."""
    rows, against = held["candidates"], held["reference"]
    say(console, "")
    say(console, (f"{held['copying']} (up) and loss of {held['fidelity']} (right), minus {against}", "bold"))
    for line in picture(rows):
        say(console, line, keep=" ", whole=True)
    say(console, "  # chosen   o on the Pareto front   . beaten   + the reference")
    table = Table(title="Candidates, on the noise they are chosen on", title_justify="left", box=box.SIMPLE_HEAD)
    for head in ("arm", "settings", held["copying"], held["fidelity"], ""):
        table.add_column(head, overflow="fold")
    for row in rows:
        settings = ", ".join(f"{key.rpartition('.')[2]} {_shown(value)}" for key, value in row["settings"].items())
        mark = "chosen" if row["chosen"] else "front" if row["on_front"] else ""
        style = "bold" if row["chosen"] else ""
        add_row(table, row["arm"], settings, _views(row["copying"]), _views(row["fidelity"]), mark, style=style)
    draw(console, table)
    table = Table(title="Those chosen, on other noise", title_justify="left", box=box.SIMPLE_HEAD)
    for head in ("arm", "against", "score", "difference", "verdict"):
        table.add_column(head, overflow="fold")
    for row in held["held_out"]:
        score = f"{row['metric']}.{row['name']}"
        add_row(table, row["arm"], row["against"], score, _views(row["views"]), row["word"])
    draw(console, table)


def picture(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Copying against loss of fidelity in letters; the reference is at 0 and 0."""
    points = [(0.0, 0.0, "+")]
    for mark in (".", "o", "#"):
        points += [(row["loss"], row["copies"], mark) for row in rows if mark == _mark(row)]
    left, right = _ends([x for x, _, _ in points])
    low, high = _ends([y for _, y, _ in points])
    lines = [[" "] * _WIDE for _ in range(_HIGH)]
    for x, y, mark in points:
        across = round((x - left) / (right - left) * (_WIDE - 1))
        down = round((high - y) / (high - low) * (_HIGH - 1))
        lines[down][across] = mark
    margin = max(len(number(low)), len(number(high)))
    heads = {0: number(high), _HIGH - 1: number(low)}
    drawn = [f"{heads.get(i, ''):>{margin}} |{''.join(line).rstrip()}" for i, line in enumerate(lines)]
    foot = f"{number(left)}{number(right):>{_WIDE - len(number(left))}}"
    return [*drawn, f"{'':>{margin}} +{'-' * _WIDE}", f"{'':>{margin}}  {foot}"]


def _mark(row: Mapping[str, Any]) -> str:
    return "#" if row["chosen"] else "o" if row["on_front"] else "."


def _ends(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _views(views: Mapping[str, Mapping[str, Any]]) -> str:
    return "\n".join(f"{view} {interval(estimate)}" for view, estimate in views.items())


def _shown(value: Any) -> str:
    return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
