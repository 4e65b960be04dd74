"""How near to a copy of the training data."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import attrs
import torch
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
from kinetic.errors import OptionError, ShapeError
from kinetic_metrics.feature_table import embed
from kinetic_metrics.nearest import nearest

_FEATURES = "in features"


@final
@attrs.frozen(eq=False)
class Memorisation(Metric):
    """The ratio d1/d2 of the L2 distances to the nearest and second nearest training point; below 1/3, a copy.

    Columns:
        ratio, distance, index  d1/d2, d1, and which point is nearest
        memorised               whether d1/d2 < threshold
    and the same with `_denoised`, on the denoised samples (see `Samples`); with `features` given, again in that space
    with `_features` and `_features_denoised`. What falls in x but not in the denoised columns was leftover noise.
    Values: `f_mem`, the share of copies, with Wilson's interval, and `distance`, the mean of d1; with the same endings.

    Where d2 = 0 (two equal training points, copied exactly) the ratio is 0.

    Args:
        train: the data the model was trained on, 2 points or more.
        threshold: below which ratio a sample counts as a copy.
        features: a second space to look in.

    Source: Yoon et al. (2023) and Gu et al. (2023), as used in arXiv 2602.07928; 1/3 is their threshold.
    """

    train: Dataset = options.component(Dataset, converter=as_dataset, doc="what the model was trained on")
    threshold: float = options.number(1 / 3, above=0, at_most=1, doc="ratio below which a sample counts as a copy")
    features: FeatureSpace | None = options.component(FeatureSpace, None, doc="a second space to look in")

    def __attrs_post_init__(self) -> None:
        if len(self.train) < 2:
            raise OptionError(f"'train' must hold 2 points or more, for a second nearest one: {len(self.train)}")

    def begin(self) -> SampleTable:
        return SampleTable()

    def observe(self, state: SampleTable, samples: Samples) -> SampleTable:
        if samples.x.shape[1:] != self.train.event_shape:
            theirs = tuple(self.train.event_shape)
            raise ShapeError(f"samples have shape {tuple(samples.x.shape[1:])}, the points of 'train' {theirs}")
        same = torch.equal(samples.x, samples.denoised)
        found = self._look(samples.x.flatten(1))
        columns = _both(found, found if same else self._look(samples.denoised.flatten(1)))
        if self.features:
            x = embed(self.features, samples.x)
            columns |= _both({_FEATURES: x}, {_FEATURES: x if same else embed(self.features, samples.denoised)})
        return state.append(samples.ids, columns)

    def merge(self, a: SampleTable, b: SampleTable) -> SampleTable:
        return a.concat(b)

    def finish(self, state: SampleTable) -> Score:
        ids, columns = state.sort()
        if self.features:  # here, so that the network looks at the training data once, and not for every batch
            x, denoised = columns.pop(_FEATURES), columns.pop(f"{_FEATURES}_denoised")
            found = self._look_again(x, self.features)
            again = found if torch.equal(x, denoised) else self._look_again(denoised, self.features)
            columns |= _both(found, again)
        values = {}
        for name, column in columns.items():
            if name.startswith("memorised"):
                values[f"f_mem{name.removeprefix('memorised')}"] = evidence.proportion(column.double().numpy())
        for name, column in columns.items():
            if name.startswith("distance"):
                values[name] = evidence.mean(column.numpy())
        n, m = len(ids), len(self.train)
        note = f"{n} samples, nearest of {m} training points; a copy has d1/d2 < {self.threshold:.4g}."
        return Score(values, ids, columns, (note,), self.train)

    def _look_again(self, x: Tensor, space: FeatureSpace) -> dict[str, Tensor]:
        found = self._look(x.to(device_of(space) or "cpu"), space.features)
        return {f"{name}_features": column.cpu() for name, column in found.items()}

    def _look(self, x: Tensor, features: Callable[[Tensor], Tensor] | None = None) -> dict[str, Tensor]:
        distances, index = nearest(x, self.train, 2, features)
        ratio = torch.where(distances[:, 1] > 0, distances[:, 0] / distances[:, 1], 0.0)
        return {
            "ratio": ratio,
            "distance": distances[:, 0],
            "index": index[:, 0],
            "memorised": ratio < self.threshold,
        }


def _both(found: dict[str, Tensor], again: dict[str, Tensor]) -> dict[str, Tensor]:
    """Columns, and with `_denoised` those of the denoised samples."""
    return found | {f"{name}_denoised": column for name, column in again.items()}
