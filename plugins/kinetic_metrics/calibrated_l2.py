"""The calibrated L2 distance to the training data."""

from __future__ import annotations

from typing import final

import attrs
import torch
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
from kinetic_metrics.feature_table import Found, embed_all, neighbours, observed, tables, twice


@final
@attrs.frozen(eq=False)
class CalibratedL2(Metric):
    """The distance to the nearest training point, in units of that to a neighbourhood of them; below 1, a copy.

    l(x) = ||x - y_1|| / (alpha/n sum_{i=1..n} ||x - y_i||), y_1 ... y_n the training points nearest to x in feature
    space, nearest first. A flat image is near to many and no copy for that; one that is near to a single point is.

    Columns: `calibrated_l2`, and `extracted`, whether it is below 1. Values: the mean, and the share with Wilson's
    interval. All with `_denoised` too, on the denoised samples (see `Samples`). From 0, an exact copy, to 1/alpha, as
    far from the nearest point as from all n. Where all n distances are 0, l is 0.

    Args:
        train: the data the model was trained on, `neighbours` points or more.
        features: the space.
        neighbours: n.
        alpha: what share of the mean distance is a copy's.

    Source: Carlini et al., Extracting Training Data from Diffusion Models, arXiv 2301.13188, section 5.1, with their
    n = 50 and alpha = 0.5.
    """

    train: Dataset = options.component(Dataset, converter=as_dataset, doc="what the model was trained on")
    features: FeatureSpace = options.component(FeatureSpace, Pixels(), doc="the space")
    neighbours: int = options.integer(50, at_least=2, doc="points of the neighbourhood")
    alpha: float = options.number(0.5, above=0, at_most=1, doc="what share of the mean distance is a copy's")

    def __attrs_post_init__(self) -> None:
        if self.neighbours > len(self.train):
            raise OptionError(
                f"'neighbours' must be an int from 2 to {len(self.train)}, the size of 'train': {self.neighbours}"
            )

    def begin(self) -> SampleTable:
        return SampleTable()

    def observe(self, state: SampleTable, samples: Samples) -> SampleTable:
        return observed(state, samples, self.features)

    def merge(self, a: SampleTable, b: SampleTable) -> SampleTable:
        return a.concat(b)

    def finish(self, state: SampleTable) -> Score:
        train = embed_all(self.features, self.train)
        ids, x, denoised = tables(state, 1, train)
        place = device_of(self.features) or torch.device("cpu")

        def judge(features: Tensor) -> Found:
            distances, _ = neighbours(features, train, self.neighbours, place)
            usual = self.alpha * distances.mean(1)
            ratio = torch.where(usual > 0, distances[:, 0] / usual, 0.0)
            extracted = ratio < 1
            values = {
                "calibrated_l2": evidence.mean(ratio.numpy()),
                "extracted": evidence.proportion(extracted.double().numpy()),
            }
            return values, {"calibrated_l2": ratio, "extracted": extracted}

        values, columns = twice(x, denoised, judge)
        note = (
            f"Calibrated L2 of {len(ids)} samples to {len(train)} training points, n = {self.neighbours}, alpha = "
            f"{self.alpha:g}, in {x.shape[1]} {type(self.features).__name__} features; a copy is below 1."
        )
        return Score(values, ids, columns, (note,))
