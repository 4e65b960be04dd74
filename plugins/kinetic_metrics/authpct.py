"""Authenticity: which samples are no copies with a little noise."""

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
class AuthPct(Metric):
    """The share of samples further from their nearest training point than that one is from its own nearest other one.

    With y_i the training point nearest to sample x_j in feature space, x_j is authentic where
    ||x_j - y_i|| > min_{l != i} ||y_l - y_i||. AuthPct is 100 times the share.

    Column and value: `authentic`, with Wilson's interval, the training points held fixed; with `_denoised`, on the
    denoised samples (see `Samples`). It does not change with n. An honest model does not score 1: new data of the
    training law are inauthentic where sample and training point are each other's nearest, and score 1/3 in 1 dimension,
    0.38 in 2, and towards 1/2 in many. Beside two equal training points only an exact copy is inauthentic.

    Args:
        train: the data the model was trained on, 2 points or more.
        features: the space.

    Source: Alaa et al., How Faithful is your Synthetic Data?, arXiv 2102.08921; how often two points are each other's
    nearest: Cox, Reflexive nearest neighbours, Biometrics 37 (1981).
    """

    train: Dataset = options.component(Dataset, converter=as_dataset, doc="what the model was trained on")
    features: FeatureSpace = options.component(FeatureSpace, Pixels(), doc="the space")

    def __attrs_post_init__(self) -> None:
        if len(self.train) < 2:
            raise OptionError(f"'train' must hold 2 points or more, for a nearest other one: {len(self.train)}")

    def begin(self) -> SampleTable:
        return SampleTable()

    def observe(self, state: SampleTable, samples: Samples) -> SampleTable:
        return observed(state, samples, self.features)

    def merge(self, a: SampleTable, b: SampleTable) -> SampleTable:
        return a.concat(b)

    def finish(self, state: SampleTable) -> Score:
        train = embed_all(self.features, self.train)
        ids, x, denoised = tables(state, 2, train)
        place = device_of(self.features) or torch.device("cpu")

        def judge(features: Tensor) -> Found:
            authentic = is_authentic(features, train, place)
            return {"authentic": evidence.proportion(authentic.double().numpy())}, {"authentic": authentic}

        values, columns = twice(x, denoised, judge)
        note = (
            f"AuthPct {100 * values['authentic'].value:.4g}: share of {len(x)} samples, against {len(train)} training "
            f"points, in {x.shape[1]} {type(self.features).__name__} features. New data score 33 to 50."
        )
        return Score(values, ids, columns, (note,))


def is_authentic(x: Tensor, train: Tensor, place: torch.device) -> Tensor:
    """Whether each of `(n, f)` is further from the nearest of `(m, f)` than that is from its nearest other; `(n,)`."""
    distance, index = neighbours(x, train, 1, place)
    met, which = index[:, 0].unique(return_inverse=True)
    apart, _ = neighbours(train[met], train, 2, place)  # the point itself, or its equal, is the first
    return distance[:, 0] > apart[which, 1]
