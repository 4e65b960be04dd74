"""Features computed once for all metrics that look in the same space."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, final

import attrs
from torch import Tensor

from kinetic._evaluate.checked_data import Looked, with_checked_data
from kinetic._evaluate.points import Points
from kinetic._evaluate.protocol import of_space, protocol
from kinetic._roles.dataset import Dataset
from kinetic._roles.features import FeatureSpace, wrap
from kinetic._roles.metric import Metric, Samples
from kinetic._roles.tree import hash_of, options_given, rebuild, unwrap
from kinetic.types import State


@final
class SharedFeatures:
    """What feature spaces computed while metrics are evaluated: each sees a batch of samples once, and a data set once.

    Two spaces are one where they are the same object. The features of a batch are kept until the next one is shown,
    those of a data set as long as this lives. Spaces without weights cost less to compute than to keep, but for data
    sets, which may be read from files.
    """

    def __init__(self) -> None:
        self._spaces: dict[int, _SpaceFeatures] = {}
        self._hashes: dict[int, bytes] = {}
        self._looked: dict[int, tuple[Dataset, Looked]] = {}

    def metrics(self, metrics: Mapping[str, Metric]) -> dict[str, Metric]:
        """The metrics, looking in shared spaces, at data sets that are checked as they are read."""
        return {name: self._shared(with_checked_data(metric, self._looked)) for name, metric in metrics.items()}

    def show(self, samples: Iterable[Samples]) -> None:
        """Forget the last batch, and begin another: the views of it."""
        shown = [each.x for each in samples]
        for space in self._spaces.values():
            space.batch = [(x, []) for x in shown]

    def know(self, x: State, points: Points) -> None:
        """That a batch is points of a data set, whose features are rows of its table."""
        for space in self._spaces.values():
            space.known = x, points

    def notes(self, metric: Metric) -> tuple[str, ...]:
        """What a reader of a score must know of its spaces: how samples were prepared, and by which weights."""
        return tuple(dict.fromkeys(self._note(unwrap(space)) for space in spaces(metric)))

    def protocol(self, metric: Metric, samples: int) -> dict[str, Any]:
        """By what protocol a metric scored so many samples; see `kinetic._evaluate.protocol`."""
        found = {
            name: of_space(space, hash_of(unwrap(space), self._hashes), *self._spaces[id(space)].seen)
            for name, space in options_given(metric).items()
            if isinstance(space, FeatureSpace) and id(space) in self._spaces
        }
        return protocol(metric, samples, found)

    def _shared(self, metric: Metric) -> Metric:
        return rebuild(metric, lambda each: self._space(each) if isinstance(each, FeatureSpace) else each)

    def _space(self, space: FeatureSpace) -> FeatureSpace:
        if id(space) not in self._spaces:
            shared = _SpaceFeatures(space, hash_of(space, self._hashes) is not None)
            self._spaces[id(space)] = self._spaces[id(shared.shared)] = shared  # both: a shared metric may come again
        return self._spaces[id(space)].shared

    def _note(self, space: FeatureSpace) -> str:
        prepared = space.preprocessing or "samples prepared in a way that it does not state"
        weights = hash_of(space, self._hashes)
        return f"{type(space).__name__} looks at {prepared}" + (f"; weights {weights[:12]}." if weights else ".")


class _SpaceFeatures:
    """What one space computed: of the batch at hand, and of data sets."""

    def __init__(self, space: FeatureSpace, keeps: bool) -> None:
        self.keeps = keeps
        self.batch: list[tuple[Tensor, list[Tensor]]] = []
        self.tables: dict[int, tuple[Dataset, Tensor]] = {}
        self.known: tuple[State, Points] | None = None
        self.seen = ("", 0)  # dtype and width of the features
        self.space, self.shared = space, wrap(space, self.features, self.table)

    def features(self, space: FeatureSpace, x: State) -> Tensor:
        if self.known is not None and x is self.known[0]:
            return self.table(space, self.known[1]).to(x.device)
        for shown, features in self.batch if self.keeps else []:
            if x is shown:
                if not features:
                    features.append(self._asked(space, x))
                return features[0]
        return self._asked(space, x)

    def _asked(self, space: FeatureSpace, x: State) -> Tensor:
        features = space.features(x)
        self.seen = str(features.dtype).removeprefix("torch."), features.shape[-1] if features.dim() else 0
        return features

    def table(self, space: FeatureSpace, data: Dataset) -> Tensor:
        key = unwrap(data)
        if isinstance(key, Points):
            return self.table(space, key.data)[key.index]
        if id(key) not in self.tables:
            self.tables[id(key)] = key, space.table(data)
        return self.tables[id(key)][1]


def spaces(metric: Metric) -> list[FeatureSpace]:
    """The feature spaces among a metric's fields."""
    given = [getattr(metric, field.name) for field in attrs.fields(type(metric))]
    return [value for value in given if isinstance(value, FeatureSpace)]
