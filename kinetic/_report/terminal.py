"""The report on a terminal."""

from __future__ import annotations

import attrs
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from kinetic._report import tables
from kinetic._score import Scored
from kinetic._store import REPORT, FinishedRun


def print_report(run: FinishedRun, console: Console) -> None:
    """Print the arms, the differences, and the correlations of the first arm; the page has the rest."""
    console.print(f"\n[bold]{escape(str(run.provenance.get('title', '')))}[/bold]")
    first = tables.correlations(run, run.arms[0], short=True)
    shown = [*tables.arms(run), tables.differences_in_brief(run), first]
    for table in shown:
        if table is not None:
            for block in _blocks(table, console.width):
                console.print(_rich(block))
    for arm in run.arms:
        for note in run.evidence["notes"].get(arm, {}).get("energy", []):
            console.print(f"[yellow]{escape(arm)}: {escape(note)}[/yellow]")
    console.print(f"\nreport: {run.folder / REPORT}", highlight=False, soft_wrap=True)


def print_scores(scored: Scored, title: str, console: Console) -> None:
    """Print the scores of samples that others made, and what a reader of them must know."""
    rows = []
    for metric, score in scored.details.items():
        for name, estimate in score.values.items():
            said = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
            value, _, interval = tables.interval(said).partition(" ")
            rows.append((metric, name, value, interval))
    shown = tables.Table(f"{title}: {scored.n} samples", "", ("metric", "score", "value", "95%"), tuple(rows))
    console.print(_rich(shown))
    for note in scored.notes:
        console.print(f"[yellow]{escape(note)}[/yellow]", highlight=False)
    for metric, score in scored.details.items():
        for note in score.notes:
            console.print(f"{escape(metric)}: {escape(note)}", style="dim", highlight=False)


def _blocks(table: tables.Table, width: int) -> list[tables.Table]:
    """The table in pieces no wider than the terminal where that can be, each with the first column."""
    wide = [max(len(line) for cell in column for line in cell.split(" [")) + 4 for column in _columns(table)]
    chosen: list[list[int]] = [[]]
    for place in range(1, len(table.head)):
        if chosen[-1] and 2 + wide[0] + sum(wide[other] for other in chosen[-1]) + wide[place] > width:
            chosen.append([])
        chosen[-1].append(place)
    pieces = [(0, *places) for places in chosen]
    return [
        attrs.evolve(
            table,
            title=table.title if not number else f"{table.title}, continued",
            head=tuple(table.head[place] for place in piece),
            rows=tuple(tuple(row[place] for place in piece) for row in table.rows),
        )
        for number, piece in enumerate(pieces)
    ]


def _columns(table: tables.Table) -> list[tuple[str, ...]]:
    return list(zip(table.head, *table.rows, strict=True))


def _rich(table: tables.Table) -> RichTable:
    drawn = RichTable(title=escape(table.title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for head in table.head:
        drawn.add_column(escape(head), overflow="fold")
    for place, row in enumerate(table.rows):
        mark = table.marks[place] if table.marks else ""
        cells = [escape(cell.replace(" [", "\n[")) for cell in row]
        if mark == "noise":
            cells[-1] += " (noise)"
        drawn.add_row(*cells, style={"clear": "bold", "noise": "yellow"}.get(mark, ""))
    return drawn
