"""The report of a finished run, as a page and on the terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from kinetic._store import FinishedRun


def write_report(folder: Path) -> None:
    """Write `report.html`."""


def print_report(run: FinishedRun, console: Console) -> None:
    """Print the tables of the report."""
