"""The report on a terminal."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import attrs
from rich import box
from rich.console import Console
from rich.table import Table as RichTable

from kinetic._evaluate.protocol import in_words
from kinetic._report import claims, columns, over_runs, tables
from kinetic._report.differences import differences, differences_in_brief, verdict
from kinetic._report.floors import floors
from kinetic._report.numbers import interval
from kinetic._report.prompts import prompts
from kinetic._store.finished_run import FinishedRun
from kinetic._store.layout import EVIDENCE, REPORT
from kinetic._terminal import add_row, draw, heading, printable, say
from kinetic.evidence import ONE_TRAINING

if TYPE_CHECKING:
    from kinetic._store.score_folder import SetScores


def print_brief(run: FinishedRun, console: Console) -> None:
    """Print the energies, what changed from arm to arm, and where the rest is."""
    _head(run, console)
    shown = {"arm", *columns.energies(run, main=True)}
    for table in over_runs.scores(run)[:1] or tables.energies(run)[:1]:
        _print(_columns(table, [i for i, name in enumerate(table.head) if name in shown]), console)
    for arms, found in verdict(run).items():
        say(console, (arms, "bold"))
        for kind, words in found.items():
            say(console, f"  {kind}: {words}")
    _warnings(run, console)
    _where(run, console)
    say(console, f"tables: kinetic report {shlex.quote(str(run.folder))}", whole=True)


def print_report(run: FinishedRun, console: Console) -> None:
    """Print every table of the page."""
    _head(run, console)
    arms = [table for arm in run.drawn for table in (tables.correlations(run, arm), tables.groups(run, arm))]
    over = [*over_runs.scores(run), over_runs.correlations(run)]
    for table in (
        *over,
        *tables.energies(run),
        *tables.scores(run),
        floors(run),
        differences_in_brief(run),
        differences(run),
        *arms,
        *(prompts(run, arm) for arm in run.drawn),
    ):
        if table is not None:
            _print(table, console, captions=True)
    _warnings(run, console)
    _where(run, console)


def print_scores(scored: SetScores, title: str, console: Console) -> None:
    """Print the scores of samples that others made, and what a reader of them must know."""
    rows = []
    for metric, score in scored.details.items():
        for name, estimate in score.values.items():
            value, _, ends = interval(estimate.to_json()).partition(" ")
            rows.append((metric, name, value, ends))
    say(console, (f"{title}: {scored.n} samples", "bold"), whole=True)
    draw(console, _rich(tables.Table("", "", ("metric", "score", "value", "95%"), tuple(rows))))
    for note in scored.notes:
        say(console, (note, "yellow"))
    for metric, score in scored.details.items():
        for note in filter(None, (*score.notes, in_words(score.protocol))):
            say(console, (f"{metric}: {note}", "dim"))


def _head(run: FinishedRun, console: Console) -> None:
    say(console, "")
    say(console, (str(run.provenance.get("title", "")), "bold"))
    for statement, words in claims.verdicts(run):
        say(console, (f"{statement}. ", "bold"), words)
    say(console, (claims.EXPLORATORY, "dim"))


def _warnings(run: FinishedRun, console: Console) -> None:
    if once := over_runs.trained_once(run):
        say(console, f"{', '.join(once)}: {ONE_TRAINING}")
    for arm in run.arms:
        for note in run.evidence["notes"].get(arm, {}).get("energy", []):
            say(console, (f"{arm}: {note}", "yellow"))


def _where(run: FinishedRun, console: Console) -> None:
    say(console, "")
    say(console, f"report: {run.folder / REPORT}", whole=True)
    say(console, f"numbers: {run.folder / EVIDENCE}", whole=True)


def _print(table: tables.Table, console: Console, captions: bool = False) -> None:
    for block in _blocks(table, console.width):
        draw(console, _rich(block))
    if captions and (words := f"{table.caption} {table.legend}".strip()):
        say(console, (f"  {words}", "dim"))


def _blocks(table: tables.Table, width: int) -> list[tables.Table]:
    """The table in pieces no wider than the terminal where that can be, each with the first column."""
    cells = zip(table.head, *table.rows, strict=True)
    wide = [max(len(line) for cell in column for line in cell.split(" [")) + 4 for column in cells]
    chosen: list[list[int]] = [[]]
    for i in range(1, len(table.head)):
        if chosen[-1] and 2 + wide[0] + sum(wide[other] for other in chosen[-1]) + wide[i] > width:
            chosen.append([])
        chosen[-1].append(i)
    pieces = [_columns(table, [0, *block]) for block in chosen]
    return pieces[:1] + [attrs.evolve(piece, title=f"{table.title}, continued") for piece in pieces[1:]]


def _columns(table: tables.Table, chosen: list[int]) -> tables.Table:
    """The table with these of its columns."""
    rows = tuple(tuple(row[i] for i in chosen) for row in table.rows)
    head, says = (tuple(each[i] for i in chosen if i < len(each)) for each in (table.head, table.says))
    return attrs.evolve(table, head=head, rows=rows, says=says)


def _rich(table: tables.Table) -> RichTable:
    title = heading(table.title, "bold") if table.title else None
    drawn = RichTable(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for head in table.head:
        drawn.add_column(heading(head), overflow="fold")
    for i, row in enumerate(table.rows):
        mark = table.marks[i] if table.marks else ""
        cells = [printable(cell).replace(" [", "\n[") for cell in row]
        if mark == "noise":
            cells[-1] += " (undecided)"
        add_row(drawn, *cells, style={"clear": "bold", "noise": "yellow"}.get(mark, ""))
    return drawn
