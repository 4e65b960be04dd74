"""Whether a sample lies nearer to the training data than to data that were held out."""

from __future__ import annotations

from functools import partial
from typing import final

import attrs
import torch
from kinetic_features import Pixels
from torch import Tensor

from kinetic import (
    Dataset,
    Estimate,
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
from kinetic_metrics.feature_table import Found, embed_all, neighbours, observed, tables, twice

State = tuple[SampleTable, ...]
"""A table of features for each space."""


@final
@attrs.frozen(eq=False)
class HeldOutDistance(Metric):
    """The L2 distance of each sample to its nearest held-out point minus that to its nearest training point.

    Columns:
        closer_to_train                    d(held_out) - d(train), in units of the space
        nearer_train                       whether that is positive
        distance_train, distance_held_out  d(train), d(held_out)
    and the same with `_denoised`, on the denoised samples (see `Samples`); with `features` given, again in that space
    with `_features` and `_features_denoised`.
    Values: the mean of `closer_to_train` with its interval over samples, both sets held fixed, and `nearer_train`, the
    share, with Wilson's; with the same endings.

    For new samples of the law of both sets, m training and h held-out points, the share is m/(m + h) by symmetry, and
    the mean difference is 0 for m = h alone: the larger set is nearer. Give sets of one size, or hold the share against
    m/(m + h), as a note does. `ct` is the test of the same question for the whole set.

    Args:
        train: the data the model was trained on.
        held_out: data of the same law that it was not trained on. Must be given.
        features: a second space to look in.

    Source: the nearest-neighbour comparison with held-out data, as in Meehan et al., arXiv 2004.05675.
    """

    train: Dataset = options.component(Dataset, converter=as_dataset, doc="what the model was trained on")
    held_out: Dataset | None = options.component(
        Dataset, None, converter=as_dataset, doc="data it was not trained on; must be given"
    )
    features: FeatureSpace | None = options.component(FeatureSpace, None, doc="a second space to look in")

    def __attrs_post_init__(self) -> None:
        if self.held_out is None or self.held_out is self.train:
            raise OptionError(
                "'held_out' must be a dataset of points that the model was not trained on\n"
                '  As in held_out = { name = "tensor-file", path = "PATH" }'
            )
        ours, theirs = tuple(self.train.event_shape), tuple(self.held_out.event_shape)
        if ours != theirs:
            raise ShapeError(f"the points of 'held_out' have shape {theirs}, those of 'train' {ours}")

    def begin(self) -> State:
        return tuple(SampleTable() for _ in self._spaces)

    def observe(self, state: State, samples: Samples) -> State:
        spaces = self._spaces.values()
        return tuple(observed(table, samples, space) for table, space in zip(state, spaces, strict=True))

    def merge(self, a: State, b: State) -> State:
        return tuple(one.concat(other) for one, other in zip(a, b, strict=True))

    def finish(self, state: State) -> Score:
        assert self.held_out is not None
        values: dict[str, Estimate] = {}
        columns: dict[str, Tensor] = {}
        ids = None
        for (end, space), table in zip(self._spaces.items(), state, strict=True):
            train, held = embed_all(space, self.train), embed_all(space, self.held_out)
            ids, x, denoised = tables(table, 2, train)
            place = device_of(space) or torch.device("cpu")
            found, told = twice(x, denoised, partial(_closer, train=train, held=held, place=place, end=end))
            values, columns = values | found, columns | told
        m, h = len(self.train), len(self.held_out)
        notes = [
            f"Nearest of {m} training and {h} held-out points. New samples are nearer to the training data in "
            f"{m / (m + h):.3f} of cases."
        ]
        if max(m, h) > 1.1 * min(m, h):
            notes.append(f"Sets of {m} and {h} points: `closer_to_train` leans to the larger one, for its size alone.")
        return Score(values, ids, columns, tuple(notes))

    @property
    def _spaces(self) -> dict[str, FeatureSpace]:
        """The spaces to look in, by the ending of their columns."""
        return {"": Pixels()} | ({"_features": self.features} if self.features else {})


def _closer(x: Tensor, train: Tensor, held: Tensor, place: torch.device, end: str) -> Found:
    ours, theirs = (neighbours(x, points, 1, place)[0][:, 0] for points in (train, held))
    closer = theirs - ours
    values = {
        f"closer_to_train{end}": evidence.mean(closer.numpy()),
        f"nearer_train{end}": evidence.proportion((closer > 0).double().numpy()),
    }
    return values, {
        f"closer_to_train{end}": closer,
        f"nearer_train{end}": closer > 0,
        f"distance_train{end}": ours,
        f"distance_held_out{end}": theirs,
    }
