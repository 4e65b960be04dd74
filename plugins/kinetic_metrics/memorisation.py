"""How near to a copy of the training data."""

from __future__ import annotations

from typing import final

import attrs
import torch
from torch import Tensor

from kinetic import Dataset, FeatureSpace, Metric, Observations, Samples, Score, as_dataset, evidence, options
from kinetic.errors import OptionError, ShapeError
from kinetic.types import State
from kinetic_metrics.nearest import nearest


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

    train: Dataset = options.component("dataset", converter=as_dataset, doc="what the model was trained on")
    threshold: float = options.number(1 / 3, above=0, at_most=1, doc="ratio below which a sample counts as a copy")
    features: FeatureSpace | None = options.component("features", None, doc="a second space to look in")

    def __attrs_post_init__(self) -> None:
        if len(self.train) < 2:
            raise OptionError(f"'train' must hold 2 points or more, for a second nearest one: {len(self.train)}")

    def begin(self) -> Observations:
        return Observations()

    def observe(self, state: Observations, samples: Samples) -> Observations:
        if samples.x.shape[1:] != self.train.event_shape:
            theirs = tuple(self.train.event_shape)
            raise ShapeError(f"samples have shape {tuple(samples.x.shape[1:])}, the points of 'train' {theirs}")
        same = torch.equal(samples.x, samples.denoised)
        columns: dict[str, Tensor] = {}
        for space in ("", "_features") if self.features else ("",):
            columns |= self._look(samples.x, space)
            again = {name: columns[name] for name in columns if name.endswith(space)} if same else {}
            again = again or self._look(samples.denoised, space)
            columns |= {f"{name}_denoised": column for name, column in again.items() if "_denoised" not in name}
        return state.adding(samples.ids, columns)

    def merge(self, a: Observations, b: Observations) -> Observations:
        return a.joined(b)

    def finish(self, state: Observations) -> Score:
        ids, columns = state.sorted()
        values = {}
        for name, column in columns.items():
            if name.startswith("memorised"):
                values[f"f_mem{name.removeprefix('memorised')}"] = evidence.proportion(column.double().numpy())
        for name, column in columns.items():
            if name.startswith("distance"):
                values[name] = evidence.mean(column.numpy())
        note = f"Nearest of {len(self.train)} training points; a copy has d1/d2 < {self.threshold:.4g}."
        return Score(values, ids, columns, (note,), self.train)

    def _look(self, x: State, space: str) -> dict[str, Tensor]:
        mapping = self.features.features if space and self.features else None
        flat = mapping(x) if mapping else x.flatten(1)
        distances, index = nearest(flat, self.train, 2, mapping)
        ratio = torch.where(distances[:, 1] > 0, distances[:, 0] / distances[:, 1], 0.0)
        return {
            f"ratio{space}": ratio,
            f"distance{space}": distances[:, 0],
            f"index{space}": index[:, 0],
            f"memorised{space}": ratio < self.threshold,
        }
