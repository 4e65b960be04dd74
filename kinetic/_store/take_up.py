"""A run folder taken up: what is of the same run is kept, what is of another is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import attrs
import tomli_w

from kinetic._sample.shard import blocks
from kinetic._store import journal
from kinetic._store.files import names_in, read_json, read_toml
from kinetic._store.layout import EVENTS, EVIDENCE, PROVENANCE, RECIPE, SHARDS, shard_name
from kinetic._store.manifest import Manifest
from kinetic._store.origin import ANOTHER, Change, check_origin, check_recipe, goes_on, made_of, runs_of
from kinetic._store.shard_files import ShardFiles
from kinetic.errors import StoreError


@final
@attrs.frozen(eq=False)
class TakeUp:
    """A folder on the point of being written to.

    Args:
        path: where.
        manifest: what it holds.
        recipe: the one that is to be carried out there. Where it says nothing of the block, that of the folder is put
            into it.
        identity: what makes its samples beside the recipe; see `kinetic._store.provenance.identity`.
        change: in what the folder's recipe may differ.
        alone: whether no other process writes to the folder. While one does, the recipe of the folder is that of all.
        looks: whether nothing is taken out.
    """

    path: Path
    manifest: Manifest
    recipe: dict[str, Any]
    identity: Mapping[str, Mapping[str, Any]]
    change: Change = Change.NOTHING
    alone: bool = True
    looks: bool = False

    def check(self, batch: int) -> bool:
        """Refuse what is of another run, and take out what is not of this one.

        Args:
            batch: how many samples a block has where neither the recipe nor the folder says.
        Returns:
            Whether the folder holds no finished block, and so takes any recipe.
        Raises:
            StoreError: it holds another run, samples that something else made, or too few blocks to be scored.
        """
        there = names_in(self.path)
        is_new = not (EVIDENCE in there or shards_in(self.manifest) or any(self.path.glob(f"{SHARDS}/*/[!.]*")))
        is_free = is_new and self.alone
        kept = {} if is_free else provenance_in(self.manifest)
        theirs = None if is_free else self.whole_recipe()
        run = (kept if theirs is None else theirs).get("run", {})
        self.recipe["run"].setdefault("batch", run.get("batch", batch))
        if not is_free:
            self._go_on(theirs, self._damaged_recipe(there, run) if theirs is None else theirs, kept)
        elif self.change is Change.METRICS:
            raise StoreError(f"{self.path} holds no finished samples\n  {goes_on(self.path)}")
        return is_new

    def whole_recipe(self) -> dict[str, Any] | None:
        """The recipe that the folder holds; None where it is not there, or not what was written."""
        try:
            return read_toml(self.manifest.check(RECIPE))
        except StoreError:
            return None

    def _damaged_recipe(self, there: list[str], run: Mapping[str, Any]) -> dict[str, Any]:
        """What can be known of a recipe that is not what was written: that it was this one, or what is left of it."""
        entry, text = self.manifest.entries.get(RECIPE), tomli_w.dumps(self.recipe)
        if entry is not None and hashlib.sha256(text.encode()).hexdigest() == entry.sha256:
            return self.recipe
        return read_toml(self.path / RECIPE) if RECIPE in there else {**self.recipe, "run": run or self.recipe["run"]}

    def _go_on(self, whole: Mapping[str, Any] | None, theirs: dict[str, Any], kept: Mapping[str, Any]) -> None:
        run, ours = theirs.get("run"), self.recipe["run"]
        if isinstance(run, dict) and run.get("batch") != ours["batch"] and self._was_lowered(ours["batch"]):
            ours["batch"] = run["batch"]
        check_recipe(self.path, theirs, self.recipe, self.change, self.alone)
        self._check_origin(kept.get("made_by"))
        if self.change is Change.METRICS:
            self._check_complete()
        if self.looks:
            return
        if whole != self.recipe and theirs is not self.recipe:  # what is finished is not of this recipe
            self.manifest.forget(EVIDENCE)
        if self.alone:
            self._forget_other_blocks()

    def _check_origin(self, before: Mapping[str, Any] | None) -> None:
        """Refuse to mix samples that were made by other code, weights, data or packages than `before`."""
        if before is not None:
            check_origin(self.path, before, self.identity)
        elif any(
            self.manifest.entries[name].made != made_of(self.recipe, self.identity, name.split("/")[1])
            for name in shards_in(self.manifest)
        ):
            raise StoreError(
                f"{self.path} holds samples that something else made: other code, weights, data or packages\n  "
                f"{PROVENANCE}, which says what made them, is not there or not what was written.\n  {ANOTHER}, or "
                "delete it."
            )

    def _check_complete(self) -> None:
        """Refuse to score where a block is missing or damaged."""
        lacking = [
            shard_name(run, *span)
            for run in runs_of(self.identity)
            for span in spans_of(self.recipe)
            if not ShardFiles(self.manifest, run, made_of(self.recipe, self.identity, run)).is_whole(*span)
        ]
        if lacking:
            more = f" and {len(lacking) - 1} more are" if len(lacking) > 1 else " is"
            raise StoreError(f"{self.path / lacking[0]}{more} missing or damaged\n  {goes_on(self.path)}")

    def _forget_other_blocks(self) -> None:
        """Take out blocks that are cut otherwise, such as the last one of fewer samples."""
        own = {shard_name(run, *span) for run in self.identity for span in spans_of(self.recipe)}
        for name in shards_in(self.manifest):
            if name not in own:
                self.manifest.forget(name)

    def _was_lowered(self, batch: int) -> bool:
        """Whether memory did not hold so many samples at a time when the run began."""
        events = journal.lines_in(self.path, EVENTS)
        return any(line.get("event") == "batch" and line.get("before") == batch for line in events)


def spans_of(recipe: Mapping[str, Any]) -> list[tuple[int, int]]:
    """The (start, stop) of every block of a run of a resolved recipe."""
    return list(blocks(recipe["run"]["samples"], recipe["run"]["batch"]))


def shards_in(manifest: Manifest) -> list[str]:
    """The names of the finished blocks that are listed."""
    return [name for name in manifest.entries if name.startswith(f"{SHARDS}/")]


def provenance_in(manifest: Manifest) -> dict[str, Any]:
    """What `provenance.json` holds; empty where it is not there, or not what was written."""
    try:
        held: dict[str, Any] = read_json(manifest.check(PROVENANCE))
    except StoreError:
        return {}
    return held
