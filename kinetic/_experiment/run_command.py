"""The commands `run`, alone, under torchrun or in parts, and `gather`."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from kinetic._experiment.parts import Part, draw_part, gather
from kinetic._experiment.ranks import Ranks
from kinetic._experiment.read_recipe import load_recipe
from kinetic._interrupt import status_of
from kinetic._progress import Reporter
from kinetic._report import print_brief
from kinetic._store.finished_run import FinishedRun
from kinetic._terminal import console, say
from kinetic.errors import OptionError, RankError, within


def run_ranks(
    recipe: str,
    out: Path | None,
    device: str = "auto",
    overrides: Sequence[str] = (),
    field: str | None = None,
    extend: int | None = None,
) -> None:
    """Carry out a recipe, by this process alone or by all ranks that were started together; rank 0 speaks for all."""
    with Ranks.joined(device) as ranks, _stopped(ranks.leads), _one_of(ranks):
        reporter = Reporter() if ranks.leads else Reporter(Console(quiet=True))
        loaded = ranks.each(lambda: load_recipe(recipe, _longer(overrides, extend), field=field))
        finished = loaded.run(out, device, reporter, extend=extend is not None, ranks=ranks)
        if ranks.leads:
            _shown(finished)


def run_part(
    recipe: str,
    out: Path | None,
    device: str,
    overrides: Sequence[str],
    field: str | None,
    extend: int | None,
    part: str,
) -> None:
    """Draw a part of a run, and say how all are gathered."""
    which = Part.read(part)
    if int(os.environ.get("WORLD_SIZE") or 1) > 1:
        raise OptionError(
            f"--part {part} draws a part by one process, and WORLD_SIZE says that this is one of "
            f"{os.environ['WORLD_SIZE']}\n  Leave --part out: the ranks share the run by themselves."
        )
    with _stopped():
        loaded = load_recipe(recipe, _longer(overrides, extend), field=field)
        path = out or Path("runs") / loaded.name
        drawn = draw_part(loaded, which, path, device, Reporter(), extend is not None)
    code = f" --field {shlex.quote(field)}" if field else ""
    say(console(), f"part {which.number} of {which.of} is drawn: {len(drawn)} blocks in {path}", whole=True)
    say(console(), f"when all are, `kinetic gather {shlex.quote(str(path))}{code}` judges them", whole=True)


def run_gather(folder: Path, device: str, field: str | None) -> None:
    """Finish a run that was drawn in parts."""
    with _stopped():
        _shown(gather(folder, device, Reporter(), field))


def _longer(overrides: Sequence[str], extend: int | None) -> list[str]:
    return [*overrides, *([] if extend is None else [f"run.samples={extend}"])]


def _shown(finished: FinishedRun) -> None:
    """Print what a run gave; status 1 where samples were left out."""
    print_brief(finished, console())
    if finished.left_out:
        raise SystemExit(1)


@contextlib.contextmanager
def _stopped(speaks: bool = True) -> Iterator[None]:
    """What Ctrl-C ends with; the command line would end without a message."""
    try:
        yield
    except KeyboardInterrupt as stop:
        if speaks:
            say(console(stderr=True), "stopped; what was finished is kept, and the same command goes on from there")
        raise SystemExit(status_of(stop)) from None


@contextlib.contextmanager
def _one_of(ranks: Ranks) -> Iterator[None]:
    """What a rank beside the first says when it fails: its number; nothing where another one has said why."""
    if ranks.leads:
        yield
        return
    try:
        with within(f"rank {ranks.rank}"):
            yield
    except RankError:
        raise SystemExit(2) from None
