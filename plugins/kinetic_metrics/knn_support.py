"""How densely the reference data lie around a sample."""

from __future__ import annotations

from typing import final

import attrs
from kinetic_features import Pixels

from kinetic import (
    Dataset,
    FeatureSpace,
    Metric,
    Observations,
    Samples,
    Score,
    as_dataset,
    device_of,
    evidence,
    options,
)
from kinetic.errors import OptionError
from kinetic_metrics.feature_table import embed
from kinetic_metrics.nearest import nearest

_FLOOR = 1e-12  # a sample on k equal reference points has support 27.6, not infinity


@final
@attrs.frozen(eq=False)
class KNNSupport(Metric):
    """Local support of each sample, -log of the mean L2 distance to its k nearest reference points in feature space.

    Large where the reference data are dense, small on the sparse frontier; up to its constants the logarithm of a
    k-nearest-neighbour density raised to 1/f. Column and value: `support`, and its mean.

    Args:
        reference: the data, usually those the model was trained on; k points or more.
        features: the space.
        k: how many neighbours.
    """

    reference: Dataset = options.component("dataset", converter=as_dataset, doc="the data to look among")
    features: FeatureSpace = options.component("features", Pixels(), doc="the space")
    k: int = options.integer(10, at_least=1, doc="how many neighbours")

    def __attrs_post_init__(self) -> None:
        if self.k > len(self.reference):
            raise OptionError(f"'k' must be an int from 1 to {len(self.reference)}, the size of 'reference': {self.k}")

    def begin(self) -> Observations:
        return Observations()

    def observe(self, state: Observations, samples: Samples) -> Observations:
        return state.adding(samples.ids, {"x": embed(self.features, samples.x)})

    def merge(self, a: Observations, b: Observations) -> Observations:
        return a.joined(b)

    def finish(self, state: Observations) -> Score:
        ids, columns = state.sorted()
        x = columns["x"].to(device_of(self.features) or "cpu")
        distances, _ = nearest(x, self.reference, self.k, self.features.features)
        support = -distances.mean(1).clamp_min(_FLOOR).log().cpu()
        n, m = len(ids), len(self.reference)
        note = (
            f"Support of {n} samples among {m} reference points, k = {self.k}, in {x.shape[1]} "
            f"{type(self.features).__name__} features."
        )
        return Score({"support": evidence.mean(support.numpy())}, ids, {"support": support}, (note,))
