"""What a metric says of real data in the place of samples: how large a difference is that is none."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
import numpy as np
import torch

from kinetic._evaluate.checked_data import datasets
from kinetic._evaluate.evaluate import Views, evaluate
from kinetic._evaluate.points import Points
from kinetic._evaluate.shared_features import SharedFeatures
from kinetic._evaluate.views import PLAIN
from kinetic._roles.dataset import Dataset
from kinetic._roles.field import VelocityField
from kinetic._roles.metric import Metric, Samples, Score
from kinetic._roles.tree import inside, rebuild
from kinetic.errors import KineticError
from kinetic.evidence import Estimate, one_more

SPLITS = 10
"""How often a reference is split, where nothing else is said."""

_LEAST = 20  # points below which a part says nothing
_BLOCK = 256  # points that a metric sees at a time


@attrs.frozen(eq=False)
class Floor:
    """A metric's values of real points, and how those of samples at the same sizes are had.

    Args:
        n, m: how many points stood for samples, and how many were left to compare with; m is 0 where there are none.
        splits: how often the data were split.
        values: `{name: Estimate}`, the mean over the splits, and the range in which one more lies with 95%.
        against: the metric that compares with the rest of the first split.
    """

    n: int
    m: int
    splits: int
    values: Mapping[str, Estimate]
    against: Metric

    def beside(self, draw: Callable[[int, int], Samples], features: SharedFeatures) -> dict[str, float]:
        """The values of n samples; `draw` gives those from the first to before the second index."""
        score = _score(self.against, ({PLAIN: draw(*span)} for span in _spans(self.n)), features)
        return {name: score.values[name].value for name in self.values if name in score.values}


def noise_floor(
    metric: Metric,
    n: int,
    real: Dataset | None = None,
    splits: int = SPLITS,
    features: SharedFeatures | None = None,
    device: torch.device | None = None,
) -> Floor | None:
    """The score of real against real: what that of samples would be if they were real.

    Of the m points of the metric's data set min(n, m/2) that are drawn at random stand for the samples, and the rest
    for the data set, several times over. Of k points out of m a mean scatters less than of k new ones, and the mean of
    all m is not that of their law: the range of a mean over single samples, and of any score that compares with no
    data, is sqrt((m + k)/(m - k)) times as wide as the splits say.

    Args:
        metric: the metric.
        n: how many samples there are.
        real: the data that stand for samples where the metric compares with none.
        splits: how often the data are split, 2 or more.
        features: what spaces computed before.
        device: that of the samples and the metric.
    Returns:
        None where the metric asks a field, compares with several data sets, or cannot score so few points.
    """
    references = [*datasets(metric).values()]
    data = references[0] if references else real
    if data is None or len(references) > 1 or inside(metric, VelocityField):  # type: ignore[type-abstract]
        return None
    size, shared = min(n, len(data) // 2), features or SharedFeatures()
    if size < _LEAST:
        return None
    scores, first = [], metric
    try:
        for split in range(splits):
            order = torch.randperm(len(data), generator=torch.Generator().manual_seed(split))
            part, rest = Points(data, order[:size]), Points(data, order[size:])
            against = _against(metric, data, rest) if references else metric
            first = first if split else against
            scores.append(_score(against, _real(part, shared, device), shared))
    except KineticError:
        return None
    known = _ranges(scores, math.sqrt((len(data) + size) / (len(data) - size)), bool(references))
    return Floor(size, len(data) - size if references else 0, splits, known, first)


def _ranges(scores: list[Score], of_means: float, compares: bool) -> dict[str, Estimate]:
    """The range of each value that all of them have."""
    first = scores[0]
    means = {first.value_of(name) for name in first.columns} if compares else set(first.values)
    values = {name: [each.values[name].value for each in scores if name in each.values] for name in first.values}
    return {
        name: one_more(own, of_means if name in means else 1.0)
        for name, own in values.items()
        if len(own) == len(scores) and np.isfinite(own).all()
    }


def _against(metric: Metric, data: Dataset, rest: Dataset) -> Metric:
    return rebuild(metric, lambda each: rest if each is data else each)


def _score(metric: Metric, batches: Iterator[Views], features: SharedFeatures) -> Score:
    with torch.no_grad():
        return evaluate({"metric": metric}, batches, features)[PLAIN]["metric"]


def _real(part: Points, features: SharedFeatures, device: Any) -> Iterator[Views]:
    labels = part.labels
    for start, stop in _spans(len(part)):
        x = part.read(start, stop).to(device)
        ids = torch.arange(start, stop, device=device)
        condition = None if labels is None else labels[start:stop].to(device)
        features.know(x, Points(part.data, part.index[start:stop]))
        yield {PLAIN: Samples(ids, x, condition)}


def _spans(n: int) -> Iterator[tuple[int, int]]:
    return ((start, min(start + _BLOCK, n)) for start in range(0, n, _BLOCK))
