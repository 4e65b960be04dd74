"""A run folder being written: finished shards, then tables and evidence beside them."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, final

import attrs
import pyarrow as pa
import pyarrow.parquet as pq
import tomli_w
from safetensors.torch import save_file
from torch import Tensor

from kinetic._roles.raised import first_line
from kinetic._sample.shard import Shard
from kinetic._store import journal
from kinetic._store.differences import differences
from kinetic._store.events import shard_event
from kinetic._store.files import check_writable, names_in, read_json, read_toml, sweep
from kinetic._store.layout import (
    EVENTS,
    EVIDENCE,
    MANIFEST,
    NEIGHBOURS,
    PROVENANCE,
    RECIPE,
    SHARDS,
    TABLE,
    is_made_first,
    journal_name,
)
from kinetic._store.lock import locked
from kinetic._store.manifest import Manifest
from kinetic._store.provenance import CODE, PACKAGES, digest, now
from kinetic._store.shard_files import ShardFiles
from kinetic.errors import StoreError

_ANOTHER = "Choose another folder with --out"
_LISTED = 8  # differences that an error lists


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
    """

    path: Path
    recipe: dict[str, Any]
    identity: Mapping[str, Mapping[str, Any]]
    manifest: Manifest
    writer: str = ""
    is_new: bool = True
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
        extend: bool = False,
        writer: str = "",
    ) -> Iterator[RunFolder]:
        """The folder for this recipe, held for writing: a new one, or one in which the same recipe was cut short.

        As long as it holds no finished block, it takes any recipe.

        Args:
            path: where; it is made if it is not there.
            recipe: the resolved recipe.
            identity: what makes its samples beside the recipe, `{arm: {what: digest}}`.
            batch: how many samples a block has where neither the recipe nor the folder says.
            extend: whether the folder's recipe may ask for fewer samples.
            writer: the name of this process, where several fill the folder.
        Raises:
            StoreError: the folder holds something else, is being written to, or cannot be.
        """
        _check_folder(path)
        path.mkdir(parents=True, exist_ok=True)
        with locked(path, writer):
            if not writer:
                sweep(path)
            manifest = Manifest.read(path, writer)
            if not writer:
                manifest.compact()
            folder = cls(path, tomllib.loads(tomli_w.dumps(recipe)), identity, manifest, writer)
            folder._take_up(batch, extend)
            try:
                yield folder
            except BaseException as error:
                with contextlib.suppress(StoreError):  # the disk may be what is full
                    folder.record("stopped", why=f"{type(error).__name__}: {first_line(error)}")
                raise

    @property
    def batch(self) -> int:
        """How many samples a block has; the last one may be smaller."""
        return int(self.recipe["run"]["batch"])

    def made(self, run: str) -> str:
        """The digest of all that makes the samples of a run of an arm."""
        keys = ("batch", "dtype", "classes")
        asked = {key: value for key, value in self.recipe["run"].items() if key in keys}
        return digest({"run": asked, "shared": self.identity.get("[run]", {}), "own": self.identity.get(run, {})})

    def set_batch(self, batch: int) -> None:
        """Cut the run into other blocks, which no finished block may stand against."""
        for name in [*self.manifest.entries]:
            if name.startswith(f"{SHARDS}/"):
                self.manifest.forget(name)
        self.recipe["run"]["batch"] = batch
        self._save_recipe()

    def provenance(self) -> dict[str, Any]:
        """What an earlier start left in `provenance.json`; empty where it is not there, or not what was written."""
        try:
            held: dict[str, Any] = read_json(self.manifest.check(PROVENANCE))
        except StoreError:
            return {}
        return held

    def store(self, run: str) -> ShardFiles:
        """Where the shards of a run are kept; the time of the first one counts from here."""
        self._clock = time.perf_counter()
        return ShardFiles(self.manifest, run, self.made(run), self._shard_saved)

    def record(self, event: str, **more: Any) -> None:
        """Append a line to `events.jsonl`."""
        self.manifest.check_folder()
        name = journal_name(EVENTS, self.writer)
        journal.append(self.path / name, {"time": now(), "event": event, **more})

    def started(self, **more: Any) -> None:
        """Record who writes to the folder from now on."""
        self.record("started", process=os.getpid(), host=socket.gethostname(), **more)

    def save_table(self, tables: Callable[[], Iterable[pa.Table]], schema: pa.Schema) -> None:
        """Write `samples.parquet`, each of the tables as row groups of its own; what one of them lacks is null."""

        def write(part: Path) -> None:
            with pq.ParquetWriter(part, schema) as writer:
                for table in tables():
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
            times = shard.energy["finite_until"][ids].tolist()
            self.record("left out", arm=run, samples=(ids + shard.start).tolist(), t=times)
        if again:
            self.record("drawn again", arm=run, start=shard.start, stop=shard.stop)

    def _take_up(self, batch: int, extend: bool) -> None:
        there = names_in(self.path)
        begun = any(name.startswith(f"{SHARDS}/") for name in self.manifest.entries) or EVIDENCE in there
        self.is_new = not begun
        if begun and RECIPE in there:
            theirs = read_toml(self.path / RECIPE)
            self.recipe["run"].setdefault("batch", theirs.get("run", {}).get("batch", batch))
            self._check_recipe(theirs, extend)
            if theirs != self.recipe:  # what is finished is not of this recipe
                self.manifest.forget(EVIDENCE)
        self.recipe["run"].setdefault("batch", batch)
        if begun:
            self._check_origin()
        if not self.writer or RECIPE not in there:
            self._save_recipe()

    def _check_recipe(self, theirs: Mapping[str, Any], extend: bool) -> None:
        ours = self.recipe
        if theirs.get("run", {}).get("batch") != ours["run"]["batch"] and self._was_lowered(ours["run"]["batch"]):
            ours["run"]["batch"] = theirs["run"]["batch"]
        if extend and theirs.get("run", {}).get("samples", 0) <= ours["run"]["samples"]:
            theirs = {**theirs, "run": {**theirs["run"], "samples": ours["run"]["samples"]}}
        unlike = list(differences(theirs, ours))
        if not unlike:
            return
        way = f"{_ANOTHER}, or delete it."
        if all(line.startswith("run.samples ") for line in unlike) and "--extend" not in way:
            way = f"`--extend {ours['run']['samples']}` adds samples to a run. {way}"
        elif all(line.startswith("metrics") for line in unlike):
            way = f"`kinetic rescore {self.path} --metrics ...` adds metrics to a run. {way}"
        more = [f"and {len(unlike) - _LISTED} more"] if len(unlike) > _LISTED else []
        lines = "\n  ".join([*unlike[:_LISTED], *more])
        raise StoreError(f"{self.path} holds another run:\n  {lines}\n  {way}")

    def _was_lowered(self, batch: int) -> bool:
        """Whether memory did not hold so many samples at a time when the run began."""
        events = journal.lines_in(self.path, EVENTS)
        return any(line.get("event") == "batch" and line.get("before") == batch for line in events)

    def _check_origin(self) -> None:
        """Refuse to mix samples that were made by other code, weights, data or packages."""
        before = self.provenance().get("made_by")
        unlike = [] if before is None else list(differences(before, json.loads(json.dumps(self.identity))))
        if unlike:
            what = _what(unlike)
            lines = "\n  ".join(unlike[:_LISTED])
            raise StoreError(f"{self.path} was made with other {what}:\n  {lines}\n  {_ANOTHER}, or delete it.")
        if before is None and any(self._made_otherwise()):
            raise StoreError(
                f"{self.path} holds samples that something else made: other code, weights, data or packages\n  "
                f"{PROVENANCE}, which says what made them, is not there or not what was written.\n  {_ANOTHER}, or "
                "delete it."
            )

    def _made_otherwise(self) -> Iterator[bool]:
        for name, entry in self.manifest.entries.items():
            if name.startswith(f"{SHARDS}/"):
                yield entry.made != self.made(name.split("/")[1])

    def _save_recipe(self) -> None:
        text = tomli_w.dumps(self.recipe)
        self.manifest.write(RECIPE, lambda part: part.write_text(text, encoding="utf-8"))


def _what(unlike: list[str]) -> str:
    if all(f".{CODE}" in line for line in unlike):
        return "code"
    if all(line.startswith(tuple(f"[run].{name} " for name in ("device", "plugins", *PACKAGES))) for line in unlike):
        return "packages or device"
    return "weights or data"


def _completed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    there = set(table.column_names)
    columns = [table[f.name] if f.name in there else pa.nulls(len(table), f.type) for f in schema]
    return pa.table(columns, schema=schema)


def _check_folder(path: Path) -> None:
    """Refuse a folder that holds something else, or that cannot be written to."""
    there = names_in(path)
    ours = any(name in there for name in (RECIPE, journal_name(MANIFEST)))
    if not ours and (path.is_file() or any(not is_made_first(name) for name in there)):
        raise StoreError(f"{path} exists but holds no run\n  {_ANOTHER}.")
    finished = f"  `kinetic report {path}` prints the tables of the run in it." if EVIDENCE in there else ""
    check_writable(path, "\n".join(filter(None, [f"{_ANOTHER}.", finished])))
