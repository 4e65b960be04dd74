"""Whether a sample lies nearer to the training data than to data that were held out."""

from __future__ import annotations

from typing import final

import attrs
from torch import Tensor

from kinetic import Column, Dataset, FeatureSpace, Score, options
from kinetic.types import State
from kinetic_metrics.data_options import dataset, held_out_dataset
from kinetic_metrics.nearest import nearest
from kinetic_metrics.two_spaces import TwoSpaceMetric


@final
@attrs.frozen(eq=False)
class HeldOutDistance(TwoSpaceMetric):
    """The L2 distance of each sample to its nearest held-out point minus that to its nearest training point.

    Columns:
        closer_to_train                    d(held_out) - d(train), in units of the space
        nearer_train                       whether that is positive
        distance_train, distance_held_out  d(train), d(held_out)
    and with `features` given, again in that space with `_features`.
    Values: the mean of `closer_to_train` with its interval over samples, both sets held fixed, and `nearer_train`, the
    share, with Wilson's; with the same ending.

    For new samples of the law of both sets, m training and h held-out points, the share is m/(m + h) by symmetry, and
    the mean difference is 0 for m = h alone: the larger set is nearer. Give sets of one size, or compare the share with
    m/(m + h), as a note does. `ct` is the test of the same question for the whole set.

    Args:
        train: the data the model was trained on.
        held_out: data of the same law that it was not trained on. Must be given.
        features: a second space to look in.

    Source: the nearest-neighbour comparison with held-out data, as in Meehan et al., arXiv 2004.05675.
    """

    train: Dataset = dataset("what the model was trained on")
    held_out: Dataset = held_out_dataset()
    features: FeatureSpace | None = options.component(FeatureSpace, None, doc="a second space to look in")
    in_pixels = (
        Column("closer_to_train", "Distance to the nearest held-out point minus that to the nearest training point."),
        Column("nearer_train", "Whether a training point is nearer than all held-out ones.", kind="label"),
        Column("distance_train", "Distance to the nearest training point.", unit="data units", main=False),
        Column("distance_held_out", "Distance to the nearest held-out point.", unit="data units", main=False),
    )

    def look(self, x: State, *data: Dataset) -> dict[str, Tensor]:
        train, held_out = (nearest(x.flatten(1), each, 1)[0][:, 0] for each in data)
        closer = held_out - train
        distances = {"distance_train": train, "distance_held_out": held_out}
        return {"closer_to_train": closer, "nearer_train": closer > 0} | distances

    def conclude(self, columns: dict[str, Tensor]) -> Score:
        m, h = len(self.train), len(self.held_out)
        notes = [
            f"Nearest of {m} training and {h} held-out points. New samples are nearer to the training data in "
            f"{m / (m + h):.3f} of cases."
        ]
        if max(m, h) > 1.1 * min(m, h):
            notes.append(f"Sets of {m} and {h} points: `closer_to_train` leans to the larger one, for its size alone.")
        averaged = {name: column for name, column in columns.items() if not name.startswith("distance")}
        return Score(self.means(averaged), columns=columns, notes=tuple(notes))
