"""How densely the reference data lie around a sample."""

from __future__ import annotations

from typing import final

import attrs
from kinetic_features import Pixels
from torch import Tensor

from kinetic import Column, Dataset, FeatureMetric, FeatureSpace, Score, options
from kinetic_metrics.data_options import dataset, up_to_size
from kinetic_metrics.nearest import neighbours

_FLOOR = 1e-12  # a sample on k equal reference points has support 27.6, not infinity


@final
@attrs.frozen(eq=False)
class KNNSupport(FeatureMetric):
    """Local support of each sample, -log of the mean L2 distance to its k nearest reference points in feature space.

    Large where the reference data are dense, small on the sparse frontier; up to its constants the logarithm of a
    k-nearest-neighbour density raised to 1/f. Leftover noise lowers it. Column and value: `support`, and its mean.

    Args:
        reference: the data, usually those the model was trained on; k points or more.
        features: the space.
        k: how many neighbours.
    """

    reference: Dataset = dataset("the data to look among")
    features: FeatureSpace = options.component(FeatureSpace, Pixels(), doc="the space")
    k: int = up_to_size("reference", 10, doc="how many neighbours")
    samples_needed = 1
    described = (Column("support", "How dense the reference is around it: minus the log of the mean of k distances."),)

    def compare(self, ids: Tensor, x: Tensor, reference: Tensor) -> Score:
        distances, _ = neighbours(x, reference, self.k, self.device)
        columns = {"support": -distances.mean(1).clamp_min(_FLOOR).log()}
        note = (
            f"Support of {len(ids)} samples among {len(reference)} reference points, k = {self.k}, in "
            f"{x.shape[1]} {type(self.features).__name__} features."
        )
        return Score(self.means(columns), ids, columns, (note,))
