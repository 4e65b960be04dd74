"""A run folder being written: finished shards, then tables and evidence beside them."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, final

import attrs
import pyarrow as pa
import pyarrow.parquet as pq
import tomli_w
from safetensors.torch import save_file
from torch import Tensor

from kinetic._roles.raised import first_line
from kinetic._sample.columns import UNTIL
from kinetic._sample.shard import Shard
from kinetic._store import journal
from kinetic._store.declared import declared
from kinetic._store.events import shard_event
from kinetic._store.files import check_writable, names_in, sweep
from kinetic._store.layout import (
    EVENTS,
    EVIDENCE,
    MANIFEST,
    NEIGHBOURS,
    PROVENANCE,
    RECIPE,
    TABLE,
    is_made_first,
    journal_name,
)
from kinetic._store.lock import joined, locked, opening
from kinetic._store.manifest import Manifest
from kinetic._store.opened import Opened
from kinetic._store.origin import ANOTHER, Change, made_of
from kinetic._store.provenance import now
from kinetic._store.shard_files import ShardFiles
from kinetic._store.take_up import TakeUp, provenance_in, shards_in
from kinetic.errors import StoreError


@final
@attrs.define(eq=False)
class RunFolder:
    """A run folder being written.

    Args:
        path: where.
        recipe: the resolved recipe, as the folder holds it.
        identity: what makes its samples beside the recipe; see `kinetic._store.provenance.identity`.
        manifest: what was written.
        writer: which of several processes that fill the folder this is; empty for the one that leads, or is alone.
        is_new: whether it held no finished block when it was opened.
        drawn_again: `{run: [(start, stop), ...]}`, the blocks that were damaged then, and have been drawn again.
    """

    path: Path
    recipe: dict[str, Any]
    identity: Mapping[str, Mapping[str, Any]]
    manifest: Manifest
    writer: str = ""
    is_new: bool = True
    drawn_again: dict[str, list[tuple[int, int]]] = attrs.field(factory=dict)
    _clock: float = attrs.field(factory=time.perf_counter)

    @classmethod
    @contextlib.contextmanager
    def open(
        cls,
        path: Path,
        recipe: Mapping[str, Any],
        identity: Mapping[str, Mapping[str, Any]],
        *,
        batch: int = 1,
        change: Change = Change.NOTHING,
        writer: str = "",
        origin: Mapping[str, Any] | None = None,
    ) -> Iterator[RunFolder]:
        """The folder for this recipe, held for writing: a new one, or one in which the same recipe was cut short.

        As long as it holds no finished block, it takes any recipe.

        Args:
            path: where; it is made if it is not there.
            recipe: the resolved recipe.
            identity: what makes its samples beside the recipe, `{arm: {what: digest}}`.
            batch: how many samples a block has where neither the recipe nor the folder says.
            change: in what the folder's recipe may differ. Where that is the number of samples, it may have asked for
                fewer, and its finished blocks are kept; where it is metrics, every block must be there.
            writer: the name of this process, where several fill the folder. While another does, its recipe is bound.
            origin: what `provenance.json` says beside the `run` and when it `started`.
        Raises:
            StoreError: the folder holds something else, is being written to, or cannot be.
        """
        _check_folder(path)
        path.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as held:
            with opening(path):
                alone = held.enter_context(locked(path, writer))
                if alone:
                    sweep(path)
                manifest = Manifest.read(path)  # what all writers share is in the list of the one that leads
                if alone:
                    manifest.compact()
                resolved = tomllib.loads(tomli_w.dumps(recipe))
                is_new = TakeUp(path, manifest, resolved, identity, change, alone).check(batch)
                folder = cls(path, resolved, identity, manifest, writer, is_new)
                folder._save_recipe()
                folder._save_origin(origin)
            manifest.writer = writer
            held.enter_context(folder._ended())
            yield folder

    @classmethod
    @contextlib.contextmanager
    def join(cls, leader: Opened, identity: Mapping[str, Mapping[str, Any]], writer: str) -> Iterator[RunFolder]:
        """The folder that another process has opened and leads, held as one of its writers.

        Raises:
            StoreError: the folder, or the `identity` of what makes samples, is another here.
        """
        leader.check(identity)
        with joined(leader.path, writer):
            manifest = Manifest.read(leader.path, writer)
            folder = cls(leader.path, leader.recipe, identity, manifest, writer, leader.is_new)
            with folder._ended():
                yield folder

    @property
    def batch(self) -> int:
        """How many samples a block has; the last one may be smaller."""
        return int(self.recipe["run"]["batch"])

    @property
    def is_finished(self) -> bool:
        """Whether it holds the evidence of this very run, which is the last that is written."""
        return EVIDENCE in self.manifest.entries

    def made(self, run: str) -> str:
        """The digest of all that makes the samples of a run of an arm."""
        return made_of(self.recipe, self.identity, run)

    def set_batch(self, batch: int) -> None:
        """Cut the run into other blocks, which no finished block may stand against."""
        for name in shards_in(self.manifest):
            self.manifest.forget(name)
        self.recipe["run"]["batch"] = batch
        if not self.writer:
            self._save_recipe()

    def provenance(self) -> dict[str, Any]:
        """What an earlier start left in `provenance.json`; empty where it is not there, or not what was written."""
        return provenance_in(self.manifest)

    def store(self, run: str) -> ShardFiles:
        """Where the shards of a run are kept; the time of the first one counts from here."""
        self._clock = time.perf_counter()
        return ShardFiles(self.manifest, run, self.made(run), self._shard_saved)

    def opened(self) -> Opened:
        """What others need that fill the folder with this process."""
        return Opened(self.path, self.recipe, self.identity, self.is_new)

    def record(self, event: str, **more: Any) -> None:
        """Append a line to `events.jsonl`, or to the file of this writer."""
        self.manifest.check_folder()
        who = {"writer": self.writer} if self.writer else {}
        journal.append(self.path / journal_name(EVENTS, self.writer), {"time": now(), "event": event, **who, **more})

    def started(self, **more: Any) -> None:
        """Record who writes to the folder from now on."""
        self.record("started", process=os.getpid(), host=socket.gethostname(), **more)

    def save_table(self, tables: Sequence[pa.Table]) -> None:
        """Write `samples.parquet`, each of the tables as row groups of its own; what one of them lacks is null."""
        schema = pa.unify_schemas([table.schema for table in tables])

        def write(part: Path) -> None:
            with pq.ParquetWriter(part, schema) as writer:
                for table in tables:
                    writer.write_table(_completed(table, schema))

        self.manifest.write(TABLE, write)

    def save_json(self, name: str, value: Any) -> None:
        """Write one of the JSON files, strict: no NaN, no infinity."""
        text = json.dumps(value, indent=1, allow_nan=False) + "\n"
        self.manifest.write(name, lambda part: part.write_text(text, encoding="utf-8"))

    def save_neighbours(self, run: str, tensors: Mapping[str, Tensor], score: str) -> None:
        """Keep some samples and the training points nearest to them, ranked by a score, for the report."""
        whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
        name = f"{NEIGHBOURS}/{run}.safetensors"
        self.manifest.write(name, lambda part: save_file(whole, part, {"score": score}))

    def _shard_saved(self, run: str, shard: Shard, again: bool) -> None:
        began, self._clock = self._clock, time.perf_counter()
        self.record("shard", **shard_event(run, shard, self._clock - began))
        ids = (~shard.finite).nonzero().flatten()
        if len(ids):
            times = shard.energy[UNTIL][ids].tolist()
            self.record("left out", arm=run, samples=(ids + shard.start).tolist(), t=times)
        if again:
            self.drawn_again.setdefault(run, []).append((shard.start, shard.stop))
            self.record("drawn again", arm=run, start=shard.start, stop=shard.stop)

    @contextlib.contextmanager
    def _ended(self) -> Iterator[None]:
        """Record what cuts the work short, if anything does."""
        try:
            yield
        except BaseException as error:
            with contextlib.suppress(StoreError):  # the disk may be what is full
                self.record("stopped", why=f"{type(error).__name__}: {first_line(error)}")
            raise

    def _save_origin(self, origin: Mapping[str, Any] | None) -> None:
        if origin is not None:
            before = self.provenance()
            kept = before if self.is_finished else {}
            began = before.get("started", now())
            claims = declared(before, self.recipe.get("claims", {}))
            self.save_json(PROVENANCE, {**kept, **origin, **claims, "run": self.recipe["run"], "started": began})

    def _save_recipe(self) -> None:
        text = tomli_w.dumps(self.recipe)
        self.manifest.write(RECIPE, lambda part: part.write_text(text, encoding="utf-8"))


def _completed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    there = set(table.column_names)
    columns = [table[f.name] if f.name in there else pa.nulls(len(table), f.type) for f in schema]
    return pa.table(columns, schema=schema)


def _check_folder(path: Path) -> None:
    """Refuse a folder that holds something else, or that cannot be written to."""
    there = names_in(path)
    ours = any(name in there for name in (RECIPE, journal_name(MANIFEST)))
    if not ours and (path.is_file() or any(not is_made_first(name) for name in there)):
        raise StoreError(f"{path} exists but holds no run\n  {ANOTHER}.")
    finished = f"  `kinetic report {path}` prints the tables of the run in it." if EVIDENCE in there else ""
    check_writable(path, "\n".join(filter(None, [f"{ANOTHER}.", finished])))
