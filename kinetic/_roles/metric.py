"""The abstract metric, what it sees and what it says."""

from __future__ import annotations

import abc
import math
from collections.abc import Mapping
from typing import Any

import attrs
from torch import Tensor

from kinetic._display import Card, Displayed, several
from kinetic._roles.column import Column
from kinetic._roles.component import Component
from kinetic._roles.dataset import Dataset
from kinetic._roles.tree import options_given
from kinetic.errors import OptionError
from kinetic.evidence import Estimate
from kinetic.types import State


@attrs.frozen(eq=False, repr=False)
class Samples(Displayed):
    """A batch of finished samples, as a metric sees it.

    Args:
        ids: int64 `(m,)`.
        x: `(m, *event)`, the samples as `VelocityField.seen` shows them. Where noise was left in them a metric is
            asked a second time with the denoised ones, and need not know.
        condition: int64 `(m,)` class labels, or None.
        state: `(m, *event)`, the samples as the field moved them, for metrics that ask a field; x itself by default.
    """

    ids: Tensor
    x: State
    condition: Tensor | None = None
    state: State = attrs.field(kw_only=True)

    @state.default
    def _as_seen(self) -> State:
        return self.x


@attrs.frozen(eq=False, repr=False)
class Score(Displayed):
    """What a metric says of all samples it saw.

    Args:
        values: `{name: Estimate}`, numbers for the whole set, each with its interval where it has one.
        ids: int64 `(n,)`, the sample ids of the rows of the columns, ascending; None without columns.
        columns: `{name: (n,)}`, a number per sample.
        notes: what a reader of the values must know (n, preprocessing, a warning), in plain sentences.
        nearest: the data set that a column of the kind `index` points into, if there is one.
        described: `{name: Column}`, what those columns and values mean whose names only the samples tell; the framework
            adds what the metric itself describes.
        protocol: what another score must share to be compared with this one, filled in by the framework where the
            metric looks in a feature space.
    """

    values: Mapping[str, Estimate] = attrs.field()
    ids: Tensor | None = None
    columns: Mapping[str, Tensor] = attrs.field(factory=dict)
    notes: tuple[str, ...] = ()
    nearest: Dataset | None = None
    described: Mapping[str, Column] = attrs.field(factory=dict)
    protocol: Mapping[str, Any] = attrs.field(factory=dict)

    def column(self, name: str, keep: Tensor) -> Tensor:
        """The rows of a column that are of the samples with `keep`, bool `(n,)`, all of which the metric has seen."""
        column = self.columns[name]
        return column[keep if self.ids is None or len(self.ids) == len(keep) else keep[self.ids]]

    def value_of(self, name: str) -> str:
        """The name of the value that a column is named for."""
        return self.described[name].value if name in self.described else name

    def is_mean(self, name: str) -> bool:
        """Whether the value that a column is named for is the mean of the column, or there is none of that name."""
        value = self.values.get(self.value_of(name))
        mean = float(self.columns[name].double().mean())
        if value is None or value.value == mean or (math.isnan(value.value) and math.isnan(mean)):
            return True
        return math.isclose(value.value, mean, rel_tol=1e-9, abs_tol=1e-12)

    def _card(self) -> Card:
        columns = several(self.columns)
        facts = [(name, str(value)) for name, value in self.values.items()]
        facts += [("columns", f"{columns} of {len(next(iter(self.columns.values()))):,} samples")] if columns else []
        return Card("Score", (*facts, *(("note", note) for note in self.notes)))

    @property
    def in_short(self) -> str:
        """Its first values in one line."""
        return several(f"{name} {value}" for name, value in self.values.items())

    @values.validator
    def _with_intervals(self, attribute: attrs.Attribute[Any], values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            if not isinstance(value, Estimate):
                raise OptionError(f"{name!r} must be an Estimate: {value!r}. Say Estimate({value!r})")


@attrs.frozen(eq=False)
class Metric(Component):
    """A fold over batches of samples that can be merged: batches, shards and ranks need not know of each other.

    The score may not depend on how the samples were cut into batches or in which order they came. `SampleMetric` and
    `FeatureMetric` do the folding for those that keep a row of each sample.
    """

    @property
    def described(self) -> tuple[Column, ...]:
        """What its columns and values mean, the most telling first."""
        return ()

    @property
    def references(self) -> tuple[Dataset, ...]:
        """The data sets among its options, in their order: what samples are compared with."""
        return tuple(value for value in options_given(self).values() if isinstance(value, Dataset))

    def check(self, samples: Samples) -> None:
        """Find from a few samples whether it can score such, before any are made; by default by observing them.

        Raises:
            OptionError, ShapeError: it cannot; the message says why.
        """
        self.observe(self.begin(), samples)

    @abc.abstractmethod
    def begin(self) -> Any:
        """The state before any sample."""

    @abc.abstractmethod
    def observe(self, state: Any, samples: Samples) -> Any:
        """The state after one more batch. The state passed in is not to be written to."""

    @abc.abstractmethod
    def merge(self, a: Any, b: Any) -> Any:
        """The state of having seen what a saw and what b saw."""

    @abc.abstractmethod
    def finish(self, state: Any) -> Score:
        """The score of all that was seen."""
