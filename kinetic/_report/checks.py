"""What the checks of a component said, on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from kinetic._terminal import add_row, draw, say
from kinetic.errors import CheckError
from kinetic.testing.check import Check


def print_checked(title: str, results: Sequence[tuple[Check, CheckError | None]], unmade: str, out: Console) -> None:
    """Print a line for each promise of a component, and for each broken one what came and how it is mended.

    Args:
        title: its role and name.
        results: its checks, each with its failure or None.
        unmade: why it could not be made; empty where it was.
        out: where to.
    """
    say(out, (title, "bold"))
    if unmade:
        say(out, (f"  not checked: {unmade}", "yellow"), keep="\n")
        return
    table = Table("", "check", "promise", box=None, header_style="bold")
    for check, failure in results:
        add_row(table, "broken" if failure else "ok", check.name, check.promise, style="red" if failure else "")
        if failure:
            add_row(table, "", "expected", failure.expected)
            add_row(table, "", "came", failure.came)
            add_row(table, "", "way on", failure.remedy)
    draw(out, table)
