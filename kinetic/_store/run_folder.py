"""The run folder: finished shards in a store, tables and evidence beside them."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, final

import attrs
import pyarrow as pa
import pyarrow.parquet as pq
import tomli_w
import torch
from numpy.typing import ArrayLike
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from kinetic._sample.run import Shard
from kinetic._store.files import (
    AGAIN,
    check_writable,
    names_in,
    read_json,
    read_toml,
    refused,
    write_json,
    write_text,
    write_whole,
)
from kinetic._store.provenance import CODE
from kinetic.errors import StoreError, unknown

RECIPE, PROVENANCE, TABLE = "recipe.toml", "provenance.json", "samples.parquet"
SCORES, EVIDENCE, REPORT = "scores.json", "evidence.json", "report.html"
SHARDS = "shards"
_ANOTHER = "Choose another folder with --out"


@final
@attrs.frozen(eq=False)
class ShardStore:
    """The finished shards of one arm, one safetensors file each, named after their sample ids."""

    folder: Path

    def shards(self) -> list[tuple[int, int]]:
        """The (start, stop) of every shard there, in order."""
        names = [re.fullmatch(r"(\d{8})-(\d{8})\.safetensors", name) for name in names_in(self.folder)]
        return sorted((int(name[1]), int(name[2])) for name in names if name)

    def load(self, start: int, stop: int) -> Shard:
        """One of them."""
        path = self._path(start, stop)
        try:
            with safe_open(path, "pt") as file:
                order = json.loads((file.metadata() or {}).get("columns", "[]"))
                names = list(file.keys())
                tensors = {name: file.get_tensor(name) for name in [*order, *sorted({*names} - {*order})]}
            lengths = {tensor.shape[:1] for tensor in tensors.values()}
            if "samples" not in tensors or lengths != {torch.Size([stop - start])}:
                raise ValueError(f"it does not hold samples {start} to {stop - 1}")
        except (SafetensorError, OSError, ValueError) as error:
            raise StoreError(
                f"{path} cannot be read: {error}\n  Delete it, and the next run makes it again."
            ) from error
        samples = tensors.pop("samples")
        denoised = tensors.pop("denoised", samples)
        state = tensors.pop("state", samples)
        denoised_state = tensors.pop("denoised_state", state if denoised is samples else denoised)
        energy = {name.removeprefix("energy."): tensor for name, tensor in tensors.items()}
        return Shard(start, samples, denoised, energy, state=state, denoised_state=denoised_state)

    def save(self, shard: Shard) -> None:
        """Keep a shard, whole or not at all."""
        tensors = {"samples": shard.samples.contiguous()}
        if shard.denoised is not shard.samples:
            tensors["denoised"] = shard.denoised.contiguous()
        if shard.state is not shard.samples:
            tensors["state"] = shard.state.contiguous()
            if shard.denoised_state is not shard.state:
                tensors["denoised_state"] = shard.denoised_state.contiguous()
        tensors |= {f"energy.{name}": column.contiguous() for name, column in shard.energy.items()}
        order = {"columns": json.dumps(list(tensors))}  # safetensors sorts them; a table read back keeps its order
        write_whole(self._path(shard.start, shard.stop), lambda path: save_file(tensors, path, order))

    def _path(self, start: int, stop: int) -> Path:
        return self.folder / f"{start:08d}-{stop:08d}.safetensors"


@final
@attrs.frozen(eq=False)
class RunFolder:
    """A run folder being written."""

    path: Path

    @classmethod
    def open(cls, path: Path, recipe: Mapping[str, Any], weights: Mapping[str, Any]) -> RunFolder:
        """The folder for this recipe: a new one, or one in which the same recipe was cut short.

        Args:
            path: where; it is made if it is not there.
            recipe: the resolved recipe.
            weights: hashes of everything the arms were given, as `provenance.json` keeps them.
        Raises:
            StoreError: the folder holds something else, or cannot be written to.
        """
        recipe = tomllib.loads(tomli_w.dumps(recipe))
        there = names_in(path)
        if RECIPE in there:
            theirs = read_toml(path / RECIPE)
            if theirs != recipe:
                key = next(_differences(theirs, recipe, ""))
                raise StoreError(f"{path} holds another run: {key}\n  {_ANOTHER}, or delete it.")
            before = cls(path).provenance().get("weights", weights)
            key = next(_differences(before, _as_old(weights, before), ""), "")
            if key:
                if "owners" not in cls(path).provenance():
                    raise StoreError(
                        f"{path} was made by an older kinetic, whose hashes of weights and data cannot be compared\n"
                        "  Choose another folder with --out."
                    )
                what = "code" if f".{CODE}" in key else "weights or data"
                raise StoreError(f"{path} was made with other {what}: {key}\n  {_ANOTHER}, or delete it.")
        elif there or path.is_file():
            raise StoreError(f"{path} exists but holds no run\n  {_ANOTHER}.")
        finished = f"  `kinetic report {path}` prints the tables of the run in it." if EVIDENCE in there else ""
        check_writable(path, "\n".join(filter(None, [f"{_ANOTHER}.", finished])))
        if RECIPE not in there:
            write_text(path / RECIPE, tomli_w.dumps(recipe))
        return cls(path)

    def provenance(self) -> dict[str, Any]:
        """What an earlier start left in `provenance.json`; empty in a new folder."""
        return read_json(self.path / PROVENANCE) if PROVENANCE in names_in(self.path) else {}

    def store(self, arm: str) -> ShardStore:
        """Where the shards of an arm are kept."""
        return ShardStore(self.path / SHARDS / arm)

    def save_table(self, table: pa.Table) -> None:
        """Write `samples.parquet`."""
        write_whole(self.path / TABLE, lambda part: pq.write_table(table, part))

    def save_json(self, name: str, value: Any) -> None:
        """Write one of the JSON files."""
        write_json(self.path / name, value)

    def save_neighbours(self, arm: str, tensors: Mapping[str, Tensor], score: str) -> None:
        """Keep some samples and the training points nearest to them, ranked by a score, for the report."""
        whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
        path = self.path / "neighbours" / f"{arm}.safetensors"
        write_whole(path, lambda part: save_file(whole, part, {"score": score}))


@final
@attrs.define(eq=False, slots=False)
class FinishedRun:
    """A run folder being read. Everything is loaded when it is asked for."""

    folder: Path

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """The resolved recipe."""
        return read_toml(self.folder / RECIPE)

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Versions, seeds, hashes, device, times."""
        return read_json(self.folder / PROVENANCE)

    @cached_property
    def table(self) -> pa.Table:
        """A row per sample of every arm: `arm`, `sample`, energies, and scores as `metric.column`."""
        try:
            return pq.read_table(self.folder / TABLE)
        except (pa.ArrowException, OSError) as error:
            raise StoreError(f"{self.folder / TABLE} cannot be read: {error}\n  {AGAIN}") from error

    @cached_property
    def scores(self) -> dict[str, dict[str, dict[str, Any]]]:
        """`{arm: {metric: {name: value or {value, low, high}}}}`."""
        return read_json(self.folder / SCORES)

    @cached_property
    def evidence(self) -> dict[str, Any]:
        """What the arms say together: differences, correlations, shares; see `docs/evidence.md`."""
        held: dict[str, Any] = read_json(self.folder / EVIDENCE)
        if "verdicts" not in held:
            raise StoreError(
                f"{self.folder / EVIDENCE} was written by an older kinetic\n  Its files hold its numbers; `kinetic run "
                f"{self.folder / RECIPE} --out DIR` makes the run anew."
            )
        return held

    @property
    def arms(self) -> list[str]:
        """The arms, in the order of the recipe; where they are run several times, every run."""
        return list(self.scores)

    @property
    def runs(self) -> dict[str, list[list[str]]]:
        """`{arm: [[run, ...], ...]}`, training by training or seed by seed, where arms are run several times."""
        runs: dict[str, list[list[str]]] = self.evidence.get("over_runs", {}).get("runs", {})
        return runs

    @property
    def drawn(self) -> list[str]:
        """The arms that pictures and tables of single arms show: of each the first run."""
        return [units[0][0] for units in self.runs.values()] or self.arms

    def shaped(self, arm: str) -> bool:
        """Whether an arm ran under a schedule."""
        return "schedule" in self.provenance["arms"][arm]

    def rows(self, arm: str) -> pa.Table:
        """The rows of one arm."""
        if arm not in self.arms:
            raise unknown("no arm is named", arm, self.arms)
        return self.table.filter(pa.compute.equal(self.table["arm"], arm))

    def samples(self, arm: str) -> Tensor:
        """The samples of one arm as they are seen, `(n, ...)`."""
        if arm not in self.arms:
            raise unknown("no arm is named", arm, self.arms)
        store = ShardStore(self.folder / SHARDS / arm)
        shards = [store.load(start, stop).samples for start, stop in store.shards()]
        if not shards:
            raise StoreError(f"{store.folder} holds no samples\n  The same `kinetic run` draws them again.")
        return torch.cat(shards)

    def take(self, arm: str, ids: ArrayLike) -> Tensor:
        """The samples of one arm that have these ids, `(len(ids), ...)`, in their order; other shards are not read."""
        if arm not in self.arms:
            raise unknown("no arm is named", arm, self.arms)
        store, wanted = ShardStore(self.folder / SHARDS / arm), torch.as_tensor(ids)
        missing, taken = torch.ones(len(wanted), dtype=torch.bool), torch.empty(0)
        for start, stop in store.shards():
            here = missing & (wanted >= start) & (wanted < stop)
            if bool(here.any()):
                samples = store.load(start, stop).samples
                taken = taken if len(taken) else samples.new_empty(len(wanted), *samples.shape[1:])
                taken[here] = samples[wanted[here] - start]
                missing &= ~here
        if bool(missing.any()):
            absent = int(wanted[missing][0])
            raise StoreError(f"{store.folder} holds no sample {absent}\n  The same `kinetic run` draws them again.")
        return taken

    def neighbours(self, arm: str) -> dict[str, Tensor] | None:
        """`ids`, `samples`, the `values` that rank them, their `nearest` training points and the numbers of these
        (`points`), the most copy-like first, where they were kept."""
        path = self.folder / "neighbours" / f"{arm}.safetensors"
        if path.name not in names_in(path.parent):
            return None
        with refused(f"{path} cannot be read", AGAIN):
            return load_file(path)


def load_run(folder: str | Path) -> FinishedRun:
    """The finished run in a folder.

    Raises:
        StoreError: the folder holds no run, or one that is not finished.
    """
    path = Path(folder)
    there = names_in(path)
    if RECIPE not in there:
        raise StoreError(f"{path} holds no run: there is no {RECIPE} in it")
    if EVIDENCE not in there:
        raise StoreError(
            f"the run in {path} is not finished\n  `kinetic run {path / RECIPE} --out {path}` goes on with it."
        )
    return FinishedRun(path)


def _as_old(weights: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The hashes, without those of code where none were kept."""
    return {
        arm: {
            name: digest
            for name, digest in own.items()
            if not name.startswith(CODE) or any(key.startswith(CODE) for key in before.get(arm, {}))
        }
        for arm, own in weights.items()
    }


def _differences(a: Any, b: Any, key: str) -> Iterator[str]:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for name in [*a, *(name for name in b if name not in a)]:
            yield from _differences(a.get(name), b.get(name), f"{key}.{name}" if key else name)
    elif a != b:
        yield f"{key} is {a!r} there and {b!r} here"
