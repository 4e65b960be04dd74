"""Scores of samples that others made: nothing is sampled, only evaluated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor

from kinetic._evaluate.checked_data import checked
from kinetic._evaluate.evaluate import Views, dry_run, evaluate
from kinetic._evaluate.shared_features import SharedFeatures
from kinetic._evaluate.views import PLAIN
from kinetic._roles.dataset import Dataset, as_dataset
from kinetic._roles.metric import Metric, Samples
from kinetic._roles.tree import to_device
from kinetic._sample.batch_size import batch_size
from kinetic._sample.draw import find_device
from kinetic._store.score_folder import SetScores
from kinetic.errors import OptionError
from kinetic.options import check_integer


def score_samples(
    samples: Tensor | Dataset,
    metrics: Mapping[str, Metric],
    batch: int | None = None,
    device: str | torch.device = "auto",
    *,
    progress: Callable[[float], None] = lambda done: None,
    finishing: Callable[[str], None] = lambda name: None,
) -> SetScores:
    """Score samples by the same way as a run's own, in batches as they are read.

    Args:
        samples: `(n, *event)`, n >= 2, finite; images `(n, 1 or 3, h, w)` in [-1, 1].
        metrics: `{name: Metric}`.
        batch: samples at a time; by default at most 500 samples and 4 Mi elements.
        device: a torch device, or "auto": CUDA where there is one.
        progress: called with how many samples more were seen.
        finishing: called with the name of each metric before it finishes.
    Raises:
        OptionError, ShapeError: the samples cannot be scored, or not with these metrics; the message says why.
    """
    batch = None if batch is None else check_integer("'batch'", batch, at_least=1)
    if not isinstance(metrics, Mapping) or not metrics or not all(isinstance(m, Metric) for m in metrics.values()):
        raise OptionError(f"'metrics' must map names to Metrics, one or more: {metrics!r}")
    data = checked("samples", as_dataset(samples))
    if len(data) < 2:
        raise OptionError(f"samples must be 2 or more to be scored as a set: {len(data)}")
    device = find_device(device)
    labels, size = data.labels, batch or batch_size(data.event_shape)

    def seen(start: int, x: Tensor) -> Samples:
        x = x.to(device)
        ids = torch.arange(start, start + len(x))
        return Samples(ids.to(device), x, None if labels is None else labels.cpu()[ids].to(device))

    def batches() -> Iterator[Views]:
        for start, x in data.blocks(size):
            yield {PLAIN: seen(start, x)}
            progress(len(x))

    with torch.no_grad():
        on_device, features = to_device(dict(metrics), device), SharedFeatures()
        dry_run(on_device, seen(0, data.read(0, 2)), features)
        details = evaluate(on_device, batches(), features, finishing)[PLAIN]
    return SetScores(len(data), details, labels, tuple(getattr(data.data, "files", ())), data.notes)
