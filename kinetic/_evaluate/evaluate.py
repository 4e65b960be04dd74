"""Samples before metrics: the one way in which a run, and samples that others made, come to their scores."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetic._evaluate.checked_data import Checked, datasets, digests, notes_of, with_checked_data
from kinetic._evaluate.misfit import check_shape
from kinetic._evaluate.shared_features import SharedFeatures
from kinetic._roles.dataset import Dataset
from kinetic._roles.metric import Metric, Samples, Score
from kinetic.errors import KineticError


def judge(
    metrics: Mapping[str, Metric],
    batches: Iterable[Samples],
    finishing: Callable[[str], None] = lambda name: None,
) -> dict[str, Score]:
    """What each metric says of all samples, shown to all batch by batch; `SharedFeatures` has the features.

    Data sets are looked at as the metrics read them, see `Checked`.

    What a metric's feature spaces state (preprocessing, weights), and what its data sets have to say of themselves
    (`notes`, where there is such an attribute), goes to its notes; so does how many samples are points of its data.

    Args:
        metrics: `{name: Metric}`, on the device of the batches.
        batches: the samples.
        finishing: is told the name of each metric before it finishes, which may take long.
    """
    sharing = SharedFeatures(with_checked_data(metrics))
    metrics = sharing.metrics
    states: dict[str, Any] = {name: metric.begin() for name, metric in metrics.items()}
    comparing = any(map(datasets, metrics.values()))
    seen = []
    for samples in batches:
        sharing.show(samples)
        seen += [digests(samples.x)] if comparing else []
        for name, metric in metrics.items():
            with naming(f"metric {name!r}"):
                states[name] = metric.observe(states[name], samples)
    sharing.show(None)
    details = {}
    for name, metric in metrics.items():
        finishing(name)
        with naming(f"metric {name!r}"):
            score = metric.finish(states.pop(name))
        said = [note for data in datasets(metric).values() for note in (*notes_of(data), *_shared(data, seen))]
        notes = [note for note in (*sharing.done(name), *said) if note not in score.notes]
        details[name] = attrs.evolve(score, notes=(*score.notes, *notes))
    return details


def _shared(data: Dataset, seen: list[NDArray[np.uint64]]) -> list[str]:
    """A note where samples, of which the digests are `seen`, are points that they were compared with."""
    if not isinstance(data, Checked) or not seen:
        return []
    of_all = np.concatenate(seen)
    equal = data.shared(of_all)
    return [f"{equal} of {len(of_all)} samples are equal to some of the {data.what}."] if equal else []


def dry_run(metrics: Mapping[str, Metric], samples: Samples) -> None:
    """One look of every metric at a few samples, and at its data sets: what does not fit together is said at once."""
    sharing = SharedFeatures(with_checked_data(metrics))
    sharing.show(samples)
    for name, metric in sharing.metrics.items():
        with naming(f"metric {name!r}"):
            for option, data in datasets(metric).items():
                check_shape(repr(option), data, samples.x.shape[1:])
                if isinstance(data, Checked):
                    data.first()
            metric.observe(metric.begin(), samples)


def check_data(metrics: Mapping[str, Metric]) -> None:
    """Look at every point that metrics compare with, before work that an error would lose.

    Args:
        metrics: `{name: Metric}`, of `with_checked_data`.
    Raises:
        OptionError: a point is not finite, an image is out of [-1, 1], or a file does not decode.
    """
    for name, metric in metrics.items():
        for data in datasets(metric).values():
            if isinstance(data, Checked):
                with naming(f"metric {name!r}"):
                    data.whole()


@contextlib.contextmanager
def naming(what: str) -> Iterator[None]:
    """Errors raised inside say where they come from."""
    try:
        yield
    except KineticError as error:
        error.args = (f"{what}: {error.args[0]}", *error.args[1:])
        raise
