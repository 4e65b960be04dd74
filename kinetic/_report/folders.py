"""What is wrong with a run folder, how far it is, and what would be computed again, on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from kinetic._store.status import RunStatus
from kinetic._store.verify import Verified
from kinetic._store.why import Why
from kinetic._terminal import add_row, draw, say

_NAMED = 8  # of many blocks


def in_words(spans: Sequence[tuple[int, int]]) -> str:
    """Blocks of samples as a reader counts them: "0 to 24, 50 to 74", or how many more there are than a few."""
    named = ", ".join(f"{start} to {stop - 1}" for start, stop in spans[:_NAMED])
    return named + (f" and {len(spans) - _NAMED} more blocks" if len(spans) > _NAMED else "")


def print_verified(verified: Verified, console: Console) -> None:
    """Print what is damaged, missing and unlisted, and which blocks are not there."""
    for name, why in verified.damaged.items():
        say(console, ("damaged: ", "red"), f"{name}: {why}", whole=True)
    for name in verified.missing:
        say(console, ("missing: ", "red"), name, whole=True)
    for name in verified.unlisted:
        say(console, ("not listed, nobody reads it: ", "yellow"), name, whole=True)
    _blocks(verified.lacking, verified.blocks, "not there" if verified.is_finished else "not there yet", console)
    failed = len(verified.damaged) + len(verified.missing)
    if verified.is_whole:
        rest = "" if verified.is_finished else "; the run is not finished"
        say(console, f"{verified.folder}: all {verified.files} listed files are what was written{rest}", whole=True)
    else:
        say(
            console,
            f"{verified.folder}: {failed} of {verified.files} listed files are not what was written",
            whole=True,
        )
        say(console, "The same `kinetic run` draws samples and writes tables again where they are damaged or missing.")


def print_why(why: Why, console: Console) -> None:
    """Print what a run would compute again, and why, or what it would be refused for."""
    for title, lines in (("recipe", why.recipe), ("made by", why.origin)):
        for line in lines:
            say(console, (f"{title}: ", "yellow"), line, whole=True)
    _blocks(why.missing, why.blocks, "not there", console)
    _blocks(why.damaged, why.blocks, "damaged", console)
    _blocks(why.otherwise, why.blocks, "made by something else", console)
    for name, reason in why.files.items():
        say(console, f"{name}: {reason}", whole=True)
    if why.refused:
        say(console, ("refused: ", "red"), why.refused, keep="\n", whole=True)
        return
    lacking = dict.fromkeys(run for kind in (why.missing, why.damaged, why.otherwise) for run in kind)
    drawn = f"samples of {', '.join(lacking)} are drawn as said" if lacking else "no sample is drawn again"
    say(console, f"{why.folder}: {drawn}; tables, evidence and report are written again from the samples", whole=True)


def print_status(status: RunStatus, console: Console) -> None:
    """Print how far a run is."""
    by = f", process {status.process} on {status.host}" if status.process is not None else ""
    say(console, (f"{status.folder}: {status.state}", "bold"), by, whole=True)
    if status.last_event is not None:
        ago = "" if status.last_event_age is None else f", {_lasting(status.last_event_age)} ago"
        say(console, f"last event: {status.last_event}{ago}")
    table = Table("run", "blocks", "samples", "samples/s", "NFE", "left out", "drawn again", "left", box=None)
    for run in status.runs:
        numbers = (f"{run.blocks}/{run.of}", f"{run.samples:,}", _number(run.samples_per_second), _number(run.nfe))
        add_row(table, run.run, *numbers, str(run.left_out), str(run.drawn_again), _lasting(run.seconds_left))
    draw(console, table)
    if status.state != "finished":
        say(console, f"time left at this speed: {_lasting(status.seconds_left)}, without scores and evidence")
    for what, held in (("peak memory", status.memory), ("peak memory of the GPU", status.cuda_memory)):
        if held is not None:
            say(console, f"{what}: {held / 2**20:,.0f} MiB")
    if len(status.writers) > 1:
        say(console, f"processes: {len(status.writers)}")
    for before, after in status.batches:
        say(console, (f"memory did not hold {before} samples at a time: {after} were tried", "yellow"))


def _blocks(of: Mapping[str, Iterable[tuple[int, int]]], blocks: int, what: str, console: Console) -> None:
    for run, spans in of.items():
        own = tuple(spans)
        say(console, f"{run}: {len(own)} of {blocks} blocks {what}: samples {in_words(own)}", whole=True)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _lasting(seconds: float | None) -> str:
    if seconds is None:
        return "not known"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
