"""A run folder being read."""

from __future__ import annotations

import os
import shlex
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import attrs
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.torch import load_file
from torch import Tensor

import kinetic
from kinetic._display import Card, Displayed, several
from kinetic._sample.stored_samples import StoredSamples
from kinetic._store.files import AGAIN, names_in, read_json, read_toml, refused
from kinetic._store.layout import EVIDENCE, MANIFEST, NEIGHBOURS, PROVENANCE, RECIPE, SCORES, SHARDS, TABLE
from kinetic._store.manifest import Manifest
from kinetic._store.origin import goes_on
from kinetic._store.shard_files import ShardFiles
from kinetic._store.take_up import spans_of
from kinetic.errors import StoreError, unknown

if TYPE_CHECKING:
    from kinetic import Plots


@final
@attrs.define(eq=False, slots=False, repr=False)
class FinishedRun(Displayed):
    """A run folder being read. Everything is loaded when it is asked for, and checked to be what was written."""

    folder: Path

    def _card(self) -> Card:
        count = f"{self.recipe['run']['samples']:,} samples in each of {len(self.arms)} runs"
        title = f"FinishedRun {self.folder}: {self.provenance.get('title', '')}, {count}"
        return Card(title, tuple((arm, self._in_short(arm)) for arm in self.arms))

    def _in_short(self, arm: str) -> str:
        """The mean energies of an arm that short tables show."""
        columns, means = self.evidence["columns"]["energy"], self.scores[arm]["energy"]
        names = [name for name, each in columns.items() if each["kind"] == "energy" and each["main"]]
        return several(f"{name} {means[name]['value']:.4g}" for name in names if means.get(name))

    @property
    def plot(self) -> Plots:
        """Its pictures as matplotlib figures: `run.plot.energy()`, `.power()`, `.grid()`, `.against()`, `.forest()`.

        What draws stands above what is drawn: it is asked for by its public name, `kinetic.plot`, when it is wanted.
        """
        return kinetic.plot(self)

    @cached_property
    def manifest(self) -> Manifest:
        """What was written to the folder."""
        return Manifest.read(self.folder)

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """The resolved recipe."""
        return read_toml(self.manifest.check(RECIPE))

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Versions, seeds, hashes, device, times."""
        return read_json(self.manifest.check(PROVENANCE))

    @cached_property
    def table(self) -> pa.Table:
        """A row per sample of every arm: `arm`, `sample`, energies, and scores as `metric.column`."""
        return self._table(None)

    @cached_property
    def scores(self) -> dict[str, dict[str, dict[str, Any]]]:
        """`{arm: {metric: {name: value or {value, low, high}}}}`."""
        return read_json(self.manifest.check(SCORES))

    @cached_property
    def evidence(self) -> dict[str, Any]:
        """What the arms say together: differences, correlations, shares; see `docs/evidence.md`."""
        return read_json(self.manifest.check(EVIDENCE))

    @property
    def claims(self) -> list[dict[str, Any]]:
        """What the run says of each claim of its recipe: `name`, `statement`, `word`, `parts`, ...; see `evidence`."""
        rows: list[dict[str, Any]] = self.evidence.get("claims", [])
        return rows

    @property
    def protocols(self) -> dict[str, dict[str, dict[str, Any]]]:
        """`{arm: {metric: protocol}}`, what another score must share to be compared; see `kinetic.unlike`."""
        held: dict[str, dict[str, dict[str, Any]]] = self.evidence.get("protocols", {})
        return {arm: held.get(arm, {}) for arm in self.arms}

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

    @property
    def left_out(self) -> dict[str, dict[int, float]]:
        """`{arm: {sample: t}}`, the samples whose velocity was not finite, and up to which time their path was."""
        held = self.evidence.get("left_out", {})
        return {arm: {int(i): t for i, t in times.items()} for arm, times in held.items()}

    def shaped(self, arm: str) -> bool:
        """Whether an arm ran under a schedule."""
        return "schedule" in self.provenance["arms"][arm]

    def rows(self, arm: str) -> pa.Table:
        """The rows of one arm; no others are read."""
        self._known(arm)
        return self._table(arm)

    def samples(self, arm: str) -> Tensor:
        """The samples of one arm as they are seen, `(n, ...)`, all of them in memory; `stored` reads some."""
        return self.stored(arm).tensor()

    def stored(self, arm: str) -> StoredSamples:
        """The samples of one arm in their files: `[ids]` and `[start:stop]` are tensors of those alone."""
        self._known(arm)
        spans = tuple(spans_of(self.recipe))
        store = ShardFiles(self.manifest, arm, "")
        first = store.read(*spans[0]).samples
        return StoredSamples(store, spans, "samples", first.shape[1:], first.dtype)

    def neighbours(self, arm: str) -> dict[str, Tensor] | None:
        """`ids`, `samples`, the `values` that rank them, their `nearest` training points and the numbers of these
        (`points`), the most copy-like first, where they were kept."""
        name = f"{NEIGHBOURS}/{arm}.safetensors"
        if name not in self.manifest.entries and not os.path.lexists(self.folder / name):
            return None
        path = self.manifest.check(name)
        with refused(f"{path} cannot be read", AGAIN):
            return load_file(path)

    def _known(self, arm: str) -> None:
        if arm not in self.arms:
            raise unknown("no arm is named", arm, self.arms)

    def _table(self, arm: str | None) -> pa.Table:
        path = self.manifest.check(TABLE)
        try:
            return pq.read_table(path, filters=None if arm is None else [("arm", "==", arm)])
        except (pa.ArrowException, OSError) as error:
            raise StoreError(f"{path} cannot be read: {error}\n  {AGAIN}") from error


def load_run(folder: str | Path) -> FinishedRun:
    """The finished run in a folder.

    Raises:
        StoreError: the folder holds no run, or one that is not finished.
    """
    path = Path(folder)
    there, out = names_in(path), shlex.quote(str(path))
    if RECIPE not in there:
        lost = any(name.startswith((SHARDS, MANIFEST)) for name in there)
        way = f"\n  The `kinetic run` that made it, with --out {out}, writes it again." if lost else ""
        raise StoreError(f"{path} holds no run: there is no {RECIPE} in it{way}")
    if EVIDENCE not in there:
        raise StoreError(f"the run in {path} is not finished\n  {goes_on(path)}")
    return FinishedRun(path)
