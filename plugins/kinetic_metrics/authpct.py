"""Authenticity: which samples are no copies with a little noise."""

from __future__ import annotations

from typing import final

import attrs
import torch
from kinetic_features import Pixels
from torch import Tensor

from kinetic import Column, Dataset, FeatureMetric, FeatureSpace, Score, options
from kinetic_metrics.data_options import dataset
from kinetic_metrics.nearest import neighbours


@final
@attrs.frozen(eq=False)
class AuthPct(FeatureMetric):
    """The share of samples further from their nearest training point than that one is from its own nearest other one.

    With y_i the training point nearest to sample x_j in feature space, x_j is authentic where
    ||x_j - y_i|| > min_{l != i} ||y_l - y_i||. AuthPct is 100 times the share.

    Column and value: `authentic`, with Wilson's interval, the training points held fixed. It does not change with n. An
    honest model does not score 1: new data of the training law are inauthentic where sample and training point are each
    other's nearest, and score 1/3 in 1 dimension, 0.38 in 2, and towards 1/2 in many. Beside two equal training points
    only an exact copy is inauthentic.

    Args:
        train: the data the model was trained on, 2 points or more.
        features: the space.

    Source: Alaa et al., How Faithful is your Synthetic Data?, arXiv 2102.08921; how often two points are each other's
    nearest: Cox, Reflexive nearest neighbours, Biometrics 37 (1981).
    """

    train: Dataset = dataset("what the model was trained on", at_least=2, needed_for="a nearest other one")
    features: FeatureSpace = options.component(FeatureSpace, Pixels(), doc="the space")
    described = (
        Column(
            "authentic",
            "Whether it is further from its nearest training point than that is from its nearest other one; a third to "
            "a half of new data are.",
            kind="label",
        ),
    )

    def compare(self, ids: Tensor, x: Tensor, train: Tensor) -> Score:
        columns = {"authentic": is_authentic(x, train, self.device)}
        values = self.means(columns)
        note = (
            f"AuthPct {100 * values['authentic'].value:.4g}: share of {len(x)} samples, against {len(train)} training "
            f"points, in {x.shape[1]} {type(self.features).__name__} features. New data score 33 to 50."
        )
        return Score(values, ids, columns, (note,))


def is_authentic(x: Tensor, train: Tensor, device: torch.device) -> Tensor:
    """Whether each of `(n, f)` is further from the nearest of `(m, f)` than that is from its nearest other; `(n,)`."""
    distance, index = neighbours(x, train, 1, device)
    met, which = index[:, 0].unique(return_inverse=True)
    apart, _ = neighbours(train[met], train, 2, device)  # the point itself, or its equal, is the first
    return distance[:, 0] > apart[which, 1]
