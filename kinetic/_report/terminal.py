"""The report on a terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from kinetic._report import tables
from kinetic._store import REPORT, FinishedRun


def print_report(run: FinishedRun, console: Console) -> None:
    """Print the arms, the differences, and the correlations of the first arm; the page has the rest."""
    console.print(f"\n[bold]{escape(str(run.provenance.get('title', '')))}[/bold]")
    first = tables.correlations(run, run.arms[0], short=True)
    shown = [*tables.arms(run), tables.differences_in_brief(run), first]
    for table in shown:
        if table is not None:
            console.print(_rich(table))
    console.print(f"\nreport: {run.folder / REPORT}", highlight=False, soft_wrap=True)


def _rich(table: tables.Table) -> RichTable:
    drawn = RichTable(title=escape(table.title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for head in table.head:
        drawn.add_column(escape(head), overflow="fold")
    for place, row in enumerate(table.rows):
        mark = table.marks[place] if table.marks else ""
        cells = [escape(cell.replace(" [", "\n[")) for cell in row]
        if mark == "noise":
            cells[3] += " (noise)"
        drawn.add_row(*cells, style={"clear": "bold", "noise": "yellow"}.get(mark, ""))
    return drawn
