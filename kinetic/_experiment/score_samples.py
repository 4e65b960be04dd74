"""Scores of samples that others made: nothing is sampled, only judged."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from kinetic._evaluate.checked_data import checked
from kinetic._evaluate.evaluate import Views, dry_run, evaluate
from kinetic._evaluate.shared_features import SharedFeatures
from kinetic._evaluate.views import PLAIN
from kinetic._roles.dataset import Dataset, as_dataset
from kinetic._roles.metric import Metric, Samples, Score
from kinetic._roles.tree import to_device
from kinetic._sample.run import arrow
from kinetic._sample.runner import batch_size, find_device
from kinetic._store.files import check_writable, names_in, write_json, write_whole
from kinetic._store.run_folder import RECIPE, SCORES, TABLE
from kinetic.errors import OptionError, StoreError
from kinetic.options import check_integer

NOTES = "notes.json"


@final
@attrs.frozen(eq=False)
class SetScores:
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

    @property
    def scores(self) -> dict[str, dict[str, float]]:
        """The value of every score."""
        return {metric: {n: e.value for n, e in score.values.items()} for metric, score in self.details.items()}

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
        """Write `scores.json`, `samples.parquet` and `notes.json`.

        Raises:
            StoreError: the folder holds something else.
        """
        place = free_folder(folder)
        found = {
            metric: {name: estimate.to_json() for name, estimate in score.values.items()}
            for metric, score in self.details.items()
        }
        notes = {"samples": list(self.notes)} | {name: list(score.notes) for name, score in self.details.items()}
        write_json(place / SCORES, found)
        write_whole(place / TABLE, lambda part: pq.write_table(self.table, part))
        write_json(place / NOTES, notes)


def score_samples(
    samples: Tensor | Dataset,
    metrics: Mapping[str, Metric],
    batch: int | None = None,
    device: str | torch.device = "auto",
    *,
    progress: Callable[[float], None] = lambda done: None,
    finishing: Callable[[str], None] = lambda name: None,
) -> SetScores:
    """Judge samples by the same way as a run's own, in batches as they are read.

    Args:
        samples: `(n, *event)`, n >= 2, finite; images `(n, 1 or 3, h, w)` in [-1, 1].
        metrics: `{name: Metric}`.
        batch: samples at a time; by default at most 500 samples and 4 Mi elements.
        device: a torch device, or "auto": CUDA where there is one.
        progress: is told how many samples more were seen.
        finishing: is told the name of each metric before it finishes.
    Raises:
        OptionError, ShapeError: the samples cannot be scored, or not with these metrics; the message says why.
    """
    batch = None if batch is None else check_integer("'batch'", batch, at_least=1)
    if not isinstance(metrics, Mapping) or not metrics or not all(isinstance(m, Metric) for m in metrics.values()):
        raise OptionError(f"'metrics' must map names to Metrics, one or more: {metrics!r}")
    data = checked("samples", as_dataset(samples))
    if len(data) < 2:
        raise OptionError(f"samples must be 2 or more to be scored as a set: {len(data)}")
    place = find_device(device)
    labels, size = data.labels, batch or batch_size(data.event_shape)

    def seen(start: int, x: Tensor) -> Samples:
        x = x.to(place)
        ids = torch.arange(start, start + len(x))
        return Samples(ids.to(place), x, None if labels is None else labels.cpu()[ids].to(place))

    def batches() -> Iterator[Views]:
        for start, x in data.blocks(size):
            yield {PLAIN: seen(start, x)}
            progress(len(x))

    with torch.inference_mode():
        there, features = to_device(dict(metrics), place), SharedFeatures()
        dry_run(there, seen(0, data.read(0, 2)), features)
        details = evaluate(there, batches(), features, finishing)[PLAIN]
    return SetScores(len(data), details, labels, tuple(getattr(data.data, "files", ())), data.notes)


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
