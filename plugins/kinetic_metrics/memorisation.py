"""How near to a copy of the training data."""

from __future__ import annotations

from typing import final

import attrs
import torch
from torch import Tensor

from kinetic import Column, Dataset, FeatureSpace, Score, options
from kinetic.types import State
from kinetic_metrics.data_options import dataset
from kinetic_metrics.nearest import nearest
from kinetic_metrics.two_spaces import TwoSpaceMetric


@final
@attrs.frozen(eq=False)
class Memorisation(TwoSpaceMetric):
    """The ratio d1/d2 of the L2 distances to the nearest and second nearest training point; below 1/3, a copy.

    Columns:
        ratio, distance, index  d1/d2, d1, and which point is nearest
        memorised               whether d1/d2 < threshold
    and with `features` given, again in that space with `_features`.
    Values: `f_mem`, the share of copies, with Wilson's interval, and `distance`, the mean of d1; with the same ending.

    Where d2 = 0 (two equal training points, copied exactly) the ratio is 0.

    Args:
        train: the data the model was trained on, 2 points or more.
        threshold: below which ratio a sample counts as a copy.
        features: a second space to look in.

    Source: Yoon et al. (2023) and Gu et al. (2023), as used in arXiv 2602.07928; 1/3 is their threshold.
    """

    train: Dataset = dataset("what the model was trained on", at_least=2, needed_for="a second nearest one")
    threshold: float = options.number(1 / 3, above=0, at_most=1, doc="ratio below which a sample counts as a copy")
    features: FeatureSpace | None = options.component(FeatureSpace, None, doc="a second space to look in")
    samples_needed = 1

    @property
    def in_pixels(self) -> tuple[Column, ...]:
        copy = f"Whether it is a copy: d1/d2 is below {self.threshold:.4g}."
        return (
            Column("memorised", copy, kind="label", better="lower", mean="f_mem"),
            Column("ratio", "d1/d2, the distances to the nearest and second nearest training point.", better="higher"),
            Column("distance", "Distance to the nearest training point.", unit="data units", main=False),
            Column("index", "Which training point is nearest.", kind="index", main=False),
        )

    def look(self, x: State, *data: Dataset) -> dict[str, Tensor]:
        distances, index = nearest(x.flatten(1), data[0], 2)
        ratio = torch.where(distances[:, 1] > 0, distances[:, 0] / distances[:, 1], 0.0)
        nearer = {"ratio": ratio, "distance": distances[:, 0], "index": index[:, 0]}
        return nearer | {"memorised": ratio < self.threshold}

    def conclude(self, columns: dict[str, Tensor]) -> Score:
        averaged = [f"{name}{end}" for name in ("memorised", "distance") for end in self.ends]
        n, m = len(columns["ratio"]), len(self.train)
        note = f"{n} samples, nearest of {m} training points; a copy has d1/d2 < {self.threshold:.4g}."
        values = self.means({name: columns[name] for name in averaged})
        return Score(values, columns=columns, notes=(note,), nearest=self.train)
