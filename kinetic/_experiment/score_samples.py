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

from kinetic._evaluate.evaluate import datasets, dry_run, judge, naming, notes_of
from kinetic._roles.component import to_device
from kinetic._roles.dataset import Dataset, as_dataset
from kinetic._roles.metric import Metric, Samples, Score
from kinetic._sample.run import arrow
from kinetic._sample.runner import batch_size, find_device
from kinetic._store.files import check_writable, names_in, write_json, write_whole
from kinetic._store.run_folder import RECIPE, SCORES, TABLE
from kinetic.errors import OptionError, ShapeError, StoreError
from kinetic.evidence import Estimate
from kinetic.options import check_integer

NOTES = "notes.json"
_FIRST = 16  # points of a reference that are looked at before anything is computed
_ROUNDING = 1e-4  # what an image may lie outside [-1, 1]


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
            columns["file"] = pa.array(self.files)
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

    There is no noise left to take off: values and columns of denoised samples are left out.

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
    for name, metric in metrics.items():
        for option, other in datasets(metric).items():
            if other.event_shape != data.event_shape:
                raise ShapeError(_misfit(f"metric {name!r}: {option!r}", data.event_shape, other.event_shape))
            with naming(f"metric {name!r}"):
                other.read(0, min(_FIRST, len(other)))
    place = find_device(device)
    labels, size = data.labels, batch or batch_size(data.event_shape)

    def seen(start: int, x: Tensor) -> Samples:
        x = x.to(place)
        ids = torch.arange(start, start + len(x))
        return Samples(ids.to(place), x, x, None if labels is None else labels.cpu()[ids].to(place))

    def batches() -> Iterator[Samples]:
        for start, x in data.blocks(size):
            yield seen(start, x)
            progress(len(x))

    with torch.inference_mode():
        there = {name: to_device(metric, place) for name, metric in metrics.items()}
        dry_run(there, seen(0, data.read(0, 2)))
        details = {name: _plain(name, score) for name, score in judge(there, batches(), finishing).items()}
    return SetScores(len(data), details, labels, tuple(getattr(data.data, "files", ())), notes_of(data))


def not_finite(metric: str, values: Mapping[str, Estimate]) -> tuple[str, ...]:
    """A note for each value of a metric that is no finite number, as files cannot hold it."""
    return tuple(
        f"{name!r} of metric {metric!r} is {estimate.value}, no finite number: it is kept as null."
        for name, estimate in values.items()
        if estimate.to_json()["value"] is None
    )


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


@final
@attrs.frozen(eq=False)
class Checked(Dataset):
    """A data set whose every block is looked at as it is read: finite, and images in [-1, 1]."""

    what: str
    data: Dataset
    told: Callable[[float], None] = lambda done: None
    _lowest: list[float] = attrs.field(factory=list, init=False, repr=False)

    @property
    def wraps(self) -> Dataset:
        """The data set it stands for."""
        return self.data

    @property
    def event_shape(self) -> torch.Size:
        return self.data.event_shape

    def __len__(self) -> int:
        return len(self.data)

    @property
    def labels(self) -> Tensor | None:
        return self.data.labels

    def read(self, start: int, stop: int) -> Tensor:
        x = self.data.read(start, stop)
        bad = (~torch.isfinite(x.flatten(1)).all(1)).nonzero().flatten()
        if len(bad):
            raise OptionError(f"{self.what} must be finite: number {start + int(bad[0])} holds NaN or infinity")
        if self._images and len(x):
            low, high = (float(bound) for bound in x.aminmax())
            if low < -1 - _ROUNDING or high > 1 + _ROUNDING:
                raise OptionError(self._out_of_range(len(x)))
            self._lowest[:] = [min([low, *self._lowest])]
        self.told(len(x))
        return x

    @property
    def notes(self) -> tuple[str, ...]:
        """What the data set says, and a warning where images seem to be in [0, 1]."""
        said = notes_of(self.data)
        if not self._lowest or self._lowest[0] < 0:
            return said
        return (*said, f"No value of the {self.what} is below 0. If they are images in [0, 1], give 2 x - 1 instead.")

    @property
    def _images(self) -> bool:
        return len(self.event_shape) == 3 and (self.event_shape[0] in (1, 3) or self.event_shape[2] in (1, 3))

    def _out_of_range(self, size: int) -> str:
        bounds = torch.stack([torch.stack(block.aminmax()) for _, block in self.data.blocks(size)]).double()
        low, high = float(bounds[:, 0].min()), float(bounds[:, 1].max())
        if low >= 0 and high > 2:
            way = "For bytes 0 to 255 give x / 127.5 - 1."
        else:
            way = "Clip them, x.clip(-1, 1), as saving them as images would; or scale them, if that is what they need."
        return f"{self.what} that are images must be in [-1, 1]: they range from {low:.6g} to {high:.6g}\n  {way}"


def checked(what: str, data: Dataset, told: Callable[[float], None] = lambda done: None) -> Checked:
    """The data set, looked at as it is read; `what` names it in errors, `told` hears how many points were read."""
    return Checked(what, data, told)


def _misfit(option: str, samples: torch.Size, other: torch.Size) -> str:
    gray = len(samples) == len(other) == 3 and samples[1:] == other[1:] and {samples[0], other[0]} == {1, 3}
    way = (
        'Say what both are to be: mode = "rgb" or mode = "gray" of an image-folder.'
        if gray
        else "Resize one of them by a method you can name; kinetic never resizes data."
    )
    return f"{option} holds points of shape {tuple(other)}, the samples have shape {tuple(samples)}\n  {way}"


def _plain(metric: str, score: Score) -> Score:
    values = {name: estimate for name, estimate in score.values.items() if "_denoised" not in name}
    columns = {name: column for name, column in score.columns.items() if "_denoised" not in name}
    return attrs.evolve(score, values=values, columns=columns, notes=(*score.notes, *not_finite(metric, values)))
