"""How densely the reference data lie around a sample."""

from __future__ import annotations

from typing import final

import attrs
from kinetic_features import Pixels
from torch import Tensor

from kinetic import (
    Dataset,
    FeatureSpace,
    Metric,
    Samples,
    SampleTable,
    Score,
    as_dataset,
    device_of,
    evidence,
    options,
)
from kinetic.errors import OptionError
from kinetic_metrics.feature_table import Found, observed, tables, twice
from kinetic_metrics.nearest import nearest

_FLOOR = 1e-12  # a sample on k equal reference points has support 27.6, not infinity


@final
@attrs.frozen(eq=False)
class KNNSupport(Metric):
    """Local support of each sample, -log of the mean L2 distance to its k nearest reference points in feature space.

    Large where the reference data are dense, small on the sparse frontier; up to its constants the logarithm of a
    k-nearest-neighbour density raised to 1/f. Column and value: `support`, and its mean; with `_denoised`, of the
    denoised samples (see `Samples`): leftover noise lowers the support.

    Args:
        reference: the data, usually those the model was trained on; k points or more.
        features: the space.
        k: how many neighbours.
    """

    reference: Dataset = options.component(Dataset, converter=as_dataset, doc="the data to look among")
    features: FeatureSpace = options.component(FeatureSpace, Pixels(), doc="the space")
    k: int = options.integer(10, at_least=1, doc="how many neighbours")

    def __attrs_post_init__(self) -> None:
        if self.k > len(self.reference):
            raise OptionError(f"'k' must be an int from 1 to {len(self.reference)}, the size of 'reference': {self.k}")

    def begin(self) -> SampleTable:
        return SampleTable()

    def observe(self, state: SampleTable, samples: Samples) -> SampleTable:
        return observed(state, samples, self.features)

    def merge(self, a: SampleTable, b: SampleTable) -> SampleTable:
        return a.concat(b)

    def finish(self, state: SampleTable) -> Score:
        ids, x, denoised = tables(state, 1)
        place = device_of(self.features) or "cpu"

        def judge(features: Tensor) -> Found:
            distances, _ = nearest(features.to(place), self.reference, self.k, self.features.features)
            support = -distances.mean(1).clamp_min(_FLOOR).log().cpu()
            return {"support": evidence.mean(support.numpy())}, {"support": support}

        values, columns = twice(x, denoised, judge)
        note = (
            f"Support of {len(ids)} samples among {len(self.reference)} reference points, k = {self.k}, in "
            f"{x.shape[1]} {type(self.features).__name__} features."
        )
        return Score(values, ids, columns, (note,))
