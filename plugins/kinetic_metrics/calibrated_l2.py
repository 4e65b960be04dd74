"""The calibrated L2 distance to the training data."""

from __future__ import annotations

from typing import final

import attrs
import torch
from kinetic_features import Pixels
from torch import Tensor

from kinetic import Column, Dataset, FeatureMetric, FeatureSpace, Score, options
from kinetic_metrics.data_options import dataset, up_to_size
from kinetic_metrics.nearest import neighbours


@final
@attrs.frozen(eq=False)
class CalibratedL2(FeatureMetric):
    """The distance to the nearest training point, in units of that to a neighbourhood of them; below 1, a copy.

    l(x) = ||x - y_1|| / (alpha/n sum_{i=1..n} ||x - y_i||), y_1 ... y_n the training points nearest to x in feature
    space, nearest first. A flat image is near to many and no copy for that; one that is near to a single point is.

    Columns: `calibrated_l2`, and `extracted`, whether it is below 1. Values: the mean, and the share with Wilson's
    interval. From 0, an exact copy, to 1/alpha, as far from the nearest point as from all n. Where all n distances are
    0, l is 0.

    Args:
        train: the data the model was trained on, `neighbours` points or more.
        features: the space.
        neighbours: n.
        alpha: what share of the mean distance is a copy's.

    Source: Carlini et al., Extracting Training Data from Diffusion Models, arXiv 2301.13188, section 5.1, with their
    n = 50 and alpha = 0.5.
    """

    train: Dataset = dataset("what the model was trained on")
    features: FeatureSpace = options.component(FeatureSpace, Pixels(), doc="the space")
    neighbours: int = up_to_size("train", 50, at_least=2, doc="points of the neighbourhood")
    alpha: float = options.number(0.5, above=0, at_most=1, doc="what share of the mean distance is a copy's")
    samples_needed = 1
    described = (
        Column(
            "calibrated_l2",
            "Distance to the nearest training point, in units of `alpha` times the mean one to its neighbourhood.",
            better="higher",
        ),
        Column("extracted", "Whether that is below 1, as a copy's is.", kind="label", better="lower"),
    )

    def compare(self, ids: Tensor, x: Tensor, train: Tensor) -> Score:
        distances, _ = neighbours(x, train, self.neighbours, self.device)
        usual = self.alpha * distances.mean(1)
        ratio = torch.where(usual > 0, distances[:, 0] / usual, 0.0)
        columns = {"calibrated_l2": ratio, "extracted": ratio < 1}
        note = (
            f"Calibrated L2 of {len(ids)} samples to {len(train)} training points, n = {self.neighbours}, alpha = "
            f"{self.alpha:g}, in {x.shape[1]} {type(self.features).__name__} features; a copy is below 1."
        )
        return Score(self.means(columns), ids, columns, (note,))
