"""A run drawn part by part, by processes that know nothing of each other, and gathered when all are done."""

from __future__ import annotations

import re
import shlex
from functools import partial
from pathlib import Path
from typing import final

import attrs

from kinetic._experiment.arms import Block
from kinetic._experiment.experiment import Prepared, Recipe, run_experiment
from kinetic._experiment.ranks import Ranks
from kinetic._experiment.read_recipe import load_recipe
from kinetic._experiment.share import listed
from kinetic._progress import Reporter
from kinetic._store.files import names_in
from kinetic._store.finished_run import FinishedRun
from kinetic._store.layout import EVENTS, RECIPE, journal_names
from kinetic._store.manifest import Manifest
from kinetic._store.origin import Change
from kinetic._store.run_folder import RunFolder
from kinetic.errors import OptionError, StoreError, shown

_PART = re.compile(r"part-(\d+)-of-(\d+)")
_NAMED = 8  # parts that an error names


@final
@attrs.frozen
class Part:
    """One of several parts of a run: every n-th of its blocks.

    Args:
        number: which one, from 1.
        of: how many there are.
    """

    number: int
    of: int

    @classmethod
    def read(cls, text: str) -> Part:
        """The part that is written `I/N`.

        Raises:
            OptionError: it is not.
        """
        match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text, re.ASCII)
        number, of = map(int, match.groups()) if match else (0, 0)
        if not 1 <= number <= of:
            raise OptionError(
                f"'part' must be I/N, with I from 1 to N, as in 3/8 for the third of eight parts: {shown(text)}"
            )
        return cls(number, of)

    @property
    def writer(self) -> str:
        """What the files of the process that draws it are named after."""
        return f"part-{self.number}-of-{self.of}"

    def own(self, blocks: list[Block]) -> list[Block]:
        """Its blocks of all."""
        return blocks[self.number - 1 :: self.of]


def draw_part(
    recipe: Recipe, part: Part, out: Path, device: str, reporter: Reporter, extend: bool = False
) -> list[Block]:
    """Draw the blocks of one part of a run into its folder, those that it does not hold yet.

    Other parts may be drawn at the same time. The first one to begin says what the recipe is and, where it gives no
    `batch`, how many samples a block has.

    Args:
        recipe: what is run.
        part: which blocks.
        out, device, reporter, extend: as of `Recipe.run`.
    Returns:
        The blocks of the part.
    """
    made = Prepared.of(recipe, device)
    with (
        made.opened(out, change=Change.SAMPLES if extend else Change.NOTHING, writer=part.writer) as folder,
        reporter.running() as bars,
    ):
        own = part.own(made.arms.blocks(folder.batch))
        sizes = {arm: sum(stop - start for each, start, stop in own if each == arm) for arm in made.arms.runners}
        made.arms.fill(folder, own, lambda arm: bars.arm(arm, sizes[arm]))
        folder.record("finished")
    return own


def gather(
    folder: Path, device: str = "auto", reporter: Reporter | None = None, field: str | None = None
) -> FinishedRun:
    """Judge, compare and report a run of which all blocks are drawn; see `Recipe.run`. None is drawn here.

    Args:
        folder: of the run.
        device, reporter: as of `Recipe.run`.
        field: the code of its fields `module`; as of `load_recipe`.
    Raises:
        StoreError: the folder holds no run, or blocks are missing; it says which, and whose they are.
    """
    recipe = recipe_of(folder, field)
    return run_experiment(
        recipe, folder, device, reporter or Reporter(), Change.NOTHING, Ranks(), partial(_check_complete, field)
    )


def recipe_of(folder: Path, field: str | None = None) -> Recipe:
    """The recipe that a run folder holds, by its own name.

    Raises:
        StoreError: it holds none.
    """
    if RECIPE not in names_in(folder):
        raise StoreError(f"{folder} holds no run: there is no {RECIPE} in it")
    path = Manifest.read(folder).check(RECIPE)
    return load_recipe(path, field=field)


def _check_complete(field: str | None, made: Prepared, folder: RunFolder) -> None:
    lacking = made.arms.missing(folder)
    if lacking:
        every = made.arms.blocks(folder.batch)
        raise StoreError(
            f"{folder.path} lacks {len(lacking)} of {len(every)} blocks:\n  {listed(lacking)}\n  "
            f"{_way_on(folder.path, field, every, lacking)}"
        )


def _way_on(path: Path, field: str | None, every: list[Block], lacking: list[Block]) -> str:
    """How the others are drawn: part by part, where all parts that began are of one number."""
    begun = [match for name in journal_names(EVENTS, names_in(path)) if (match := _PART.search(name))]
    command = f"kinetic run {shlex.quote(str(path / RECIPE))} --out {shlex.quote(str(path))}"
    command += f" --field {shlex.quote(field)}" if field else ""
    if len({match[2] for match in begun}) != 1:
        return f"`{command}` draws them, and gathers all."
    of = int(begun[0][2])
    number = {block: i % of + 1 for i, block in enumerate(every)}
    parts = sorted({number[block] for block in lacking})
    numbers = ", ".join(map(str, parts[:_NAMED])) + (f" and {len(parts) - _NAMED} more" if len(parts) > _NAMED else "")
    return f"They are of parts {numbers} of {of}: `{command} --part {parts[0]}/{of}` draws those of one."
