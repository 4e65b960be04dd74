"""What metrics say of samples that others made, and the folder it is kept in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from torch import Tensor

from kinetic._display import Card, Displayed
from kinetic._roles.metric import Score
from kinetic._sample.run import arrow
from kinetic._store.files import check_writable, names_in, write_json, write_whole
from kinetic._store.layout import RECIPE, SCORES, TABLE
from kinetic.errors import StoreError

NOTES, PROTOCOLS = "notes.json", "protocols.json"


@final
@attrs.frozen(eq=False, repr=False)
class SetScores(Displayed):
    """What metrics say of samples that others made.

    Args:
        n: how many samples.
        details: `{metric: Score}`, with intervals, per-sample columns and notes.
        labels: int64 `(n,)` class of each sample, or None.
        files: the file of each sample, or nothing.
        notes: what a reader of all scores must know.
    """

    n: int
    details: Mapping[str, Score]
    labels: Tensor | None = None
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def _card(self) -> Card:
        facts = [(metric, score.in_short) for metric, score in self.details.items()]
        return Card(f"SetScores of {self.n:,} samples", (*facts, *(("note", note) for note in self.notes)))

    @property
    def scores(self) -> dict[str, dict[str, float]]:
        """The value of every score."""
        return {metric: {n: e.value for n, e in score.values.items()} for metric, score in self.details.items()}

    @property
    def protocols(self) -> dict[str, dict[str, Any]]:
        """`{metric: protocol}`, what another score must share to be compared; see `kinetic.unlike`."""
        return {metric: dict(score.protocol) for metric, score in self.details.items() if score.protocol}

    @property
    def table(self) -> pa.Table:
        """A row per sample: `sample`, `file` and `class` where there are any, and scores as `metric.column`."""
        columns: dict[str, Any] = {"sample": pa.array(np.arange(self.n))}
        if self.files:
            columns["file"] = pa.array([os.fsencode(file).decode("utf-8", "backslashreplace") for file in self.files])
        if self.labels is not None:
            columns["class"] = pa.array(self.labels.cpu().numpy())
        for metric, score in self.details.items():
            columns |= {f"{metric}.{name}": arrow(column.cpu()) for name, column in score.columns.items()}
        return pa.table(columns)

    def save(self, folder: str | Path) -> None:
        """Write `scores.json`, `samples.parquet`, `notes.json` and `protocols.json`.

        Raises:
            StoreError: the folder holds something else.
        """
        path = free_folder(folder)
        scores = {
            metric: {name: estimate.to_json() for name, estimate in score.values.items()}
            for metric, score in self.details.items()
        }
        notes = {"samples": list(self.notes)} | {name: list(score.notes) for name, score in self.details.items()}
        write_json(path / SCORES, scores)
        write_whole(path / TABLE, lambda part: pq.write_table(self.table, part))
        write_json(path / NOTES, notes)
        write_json(path / PROTOCOLS, self.protocols)


def free_folder(folder: str | Path) -> Path:
    """The folder, if scores may and can be written there: it is not there, empty, or holds scores and no run.

    Raises:
        StoreError: it holds something else, or cannot be written to.
    """
    path = Path(folder)
    if os.path.isfile(path):
        raise StoreError(f"{path} is a file\n  Choose a folder with --out.")
    there = names_in(path)
    if there and (SCORES not in there or RECIPE in there):
        raise StoreError(f"{path} is there and holds {'a run' if RECIPE in there else 'no scores'}\n  Choose another.")
    check_writable(path, "Choose another folder with --out.")
    return path
