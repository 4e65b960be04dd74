"""The one way in which the samples of a run, and samples that others made, come to their scores."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import attrs
import numpy as np
import torch
from numpy.typing import NDArray

from kinetic._evaluate.checked_data import datasets, digests, notes_of
from kinetic._evaluate.misfit import check_shape
from kinetic._evaluate.shared_features import SharedFeatures
from kinetic._evaluate.views import PLAIN
from kinetic._roles.column import described
from kinetic._roles.metric import Metric, Samples, Score
from kinetic._roles.raised import naming
from kinetic._roles.sample_table import SampleTable, has_mean, mean_of
from kinetic.errors import OptionError, within
from kinetic.evidence import Estimate

_NONE = Estimate(math.nan)
_MEMORY = "It needs this memory beside the samples, which are kept: score fewer, or leave this metric out."
Views = Mapping[str, Samples]
"""One batch of samples as each view has it."""


def evaluate(
    metrics: Mapping[str, Metric],
    batches: Iterable[Views],
    features: SharedFeatures | None = None,
    finishing: Callable[[str], None] = lambda name: None,
) -> dict[str, dict[str, Score]]:
    """What each metric says of all samples, `{view: {metric: Score}}`, shown to all metrics batch by batch.

    Data sets are looked at as the metrics read them, see `Checked`. Notes say what feature spaces state (preprocessing,
    weights), what data sets say of themselves (their `notes`), and how many samples are points of them.

    Args:
        metrics: `{name: Metric}`, on the device of the batches.
        batches: the samples. A view that is missing in the first batches is taken to be the plain one there; from the
            first batch that has it, every one has.
        features: what spaces computed before; a fresh one by default.
        finishing: is given the name of each metric before it finishes, which may take long.
    """
    features = features or SharedFeatures()
    shared = features.metrics(metrics)
    states: dict[str, dict[str, Any]] = {}
    comparing = any(map(datasets, shared.values()))
    seen: dict[str, list[NDArray[np.uint64]]] = {}
    classes: dict[str, SampleTable] = {}
    for views in batches:
        features.show(views.values())
        late = [view for view in views if view not in states]
        for view in late:  # until now its samples were the plain ones
            states[view] = dict(states.get(PLAIN, {}))
            seen[view], classes[view] = [*seen.get(PLAIN, [])], classes.get(PLAIN, SampleTable())
        for view, samples in views.items():
            own = states[view]
            seen[view].extend([digests(samples.x)] if comparing else [])
            asked = {} if samples.condition is None else {"class": samples.condition}
            classes[view] = classes[view].append(samples.ids, asked)
            for name, metric in shared.items():
                with within(f"metric {name!r}"), naming(_span(samples), _MEMORY):
                    own[name] = metric.observe(own[name] if name in own else metric.begin(), samples)
    features.show(())
    scores: dict[str, dict[str, Score]] = {view: {} for view in states}
    for name, metric in shared.items():
        finishing(name)
        for view, own in states.items():
            with within(f"metric {name!r}"), naming(f"all {len(classes[view])} samples", _MEMORY):
                score = metric.finish(own.pop(name))  # it may be the first to read its data
                notes = (*features.notes(metric), *_of_data(metric, seen[view]), *_not_finite(name, score.values))
                _check_columns(score, n := len(classes[view]))
                score = attrs.evolve(score, protocol=features.protocol(metric, n))
                scores[view][name] = _by_classes(_completed(metric, score, notes), classes[view])
    return scores


def _span(samples: Samples) -> str:
    return f"samples {int(samples.ids[0])} to {int(samples.ids[-1])}" if len(samples.ids) else "no samples"


def dry_run(metrics: Mapping[str, Metric], samples: Samples, features: SharedFeatures | None = None) -> None:
    """Ask every metric whether it can score such samples, and look at its data: what does not fit is an error."""
    features = features or SharedFeatures()
    shared = features.metrics(metrics)
    features.show((samples,))
    for name, metric in shared.items():
        with within(f"metric {name!r}"):
            for option, data in datasets(metric).items():
                check_shape(repr(option), data, samples.x.shape[1:])
                data.first()
            metric.check(samples)
    features.show(())


def check_data(metrics: Mapping[str, Metric], features: SharedFeatures) -> None:
    """Look at every point that metrics compare with, before work that an error would lose.

    Raises:
        OptionError: a point is not finite, an image is out of [-1, 1], or a file does not decode.
    """
    for name, metric in features.metrics(metrics).items():
        for data in datasets(metric).values():
            with within(f"metric {name!r}"):
                data.whole()


def _of_data(metric: Metric, seen: list[NDArray[np.uint64]]) -> Iterator[str]:
    """What the data sets say of themselves, and how many samples, of which the digests were seen, are their points."""
    for data in datasets(metric).values():
        yield from notes_of(data)
        equal = data.shared(np.concatenate(seen)) if seen else 0
        if equal:
            yield f"{equal} of {sum(map(len, seen))} samples are equal to some of the {data.what}."


def _not_finite(metric: str, values: Mapping[str, Estimate]) -> tuple[str, ...]:
    """A note for each value of a metric that is no finite number, as files cannot hold it."""
    return tuple(
        f"{name!r} of metric {metric!r} is {estimate.value}, no finite number: it is kept as null."
        for name, estimate in values.items()
        if estimate.to_json()["value"] is None
    )


def _check_columns(score: Score, n: int) -> None:
    for name, column in score.columns.items():
        if column.shape != (n,):
            raise OptionError(f"the column {name!r} must be ({n},), a number a sample: {tuple(column.shape)}")


def _by_classes(score: Score, table: SampleTable) -> Score:
    """The completed score, the means of its columns with intervals that know how many of each class there are."""
    ids, asked = table.sort()
    if "class" not in asked or asked["class"].dim() != 1 or score.ids is None or not torch.equal(ids, score.ids):
        return score
    means = {
        score.value_of(name): mean_of(column, asked["class"])
        for name, column in score.columns.items()
        if has_mean(column) and score.values.get(score.value_of(name), _NONE).leave_out is None and score.is_mean(name)
    }
    return attrs.evolve(score, values={name: means.get(name, value) for name, value in score.values.items()})


def _completed(metric: Metric, score: Score, more: tuple[str, ...]) -> Score:
    """The score with what its spaces and data sets say, and what its columns and values mean."""
    present = dict.fromkeys(score.values, "score") | {name: _kind(column) for name, column in score.columns.items()}
    named = (*metric.described, *score.described.values())
    means = {column.mean for column in named} - score.columns.keys()
    present = {name: kind for name, kind in present.items() if name not in means}
    notes = dict.fromkeys((*score.notes, *more))
    return attrs.evolve(score, notes=tuple(notes), described=described(named, present))


def _kind(column: torch.Tensor) -> str:
    if column.dtype == torch.bool:
        return "label"
    return "score" if column.is_floating_point() else "index"
