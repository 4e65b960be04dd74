"""The abstract metric, what it sees and what it says."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

import attrs
import torch
from torch import Tensor

from kinetic._roles.component import Component
from kinetic._roles.dataset import Dataset
from kinetic.errors import OptionError
from kinetic.evidence import Estimate
from kinetic.types import State


@attrs.frozen(eq=False)
class Samples:
    """A batch of finished samples, as a metric sees it.

    Args:
        ids: int64 `(m,)`.
        x: `(m, *event)`, the samples.
        denoised: `(m, *event)`, x after one more Euler step over what a gain below 1 left undone,
            x + (1 - I) v(x, min(I, 1)) with I the mean gain of the sample; x itself where I >= 1 or nothing shaped it.
        condition: int64 `(m,)` class labels, or None.
    """

    ids: Tensor
    x: State
    denoised: State
    condition: Tensor | None = None


@attrs.frozen(eq=False)
class Score:
    """What a metric says of all samples it saw.

    Args:
        values: `{name: Estimate}`, numbers for the whole set, each with its interval where it has one.
        ids: int64 `(n,)`, whom the columns speak of, ascending; None without columns.
        columns: `{name: (n,)}`, a number per sample.
        notes: what a reader of the values must know (n, preprocessing, a warning), in plain sentences.
        nearest: the data set that a column named `index` points into, if there is one.
    """

    values: Mapping[str, Estimate] = attrs.field()
    ids: Tensor | None = None
    columns: Mapping[str, Tensor] = attrs.field(factory=dict)
    notes: tuple[str, ...] = ()
    nearest: Dataset | None = None

    @values.validator
    def _with_intervals(self, attribute: attrs.Attribute[Any], values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            if not isinstance(value, Estimate):
                raise OptionError(f"{name!r} must be an Estimate: {value!r}. Say Estimate({value!r})")


@attrs.frozen(eq=False)
class SampleTable:
    """A metric state that is a table: what each observed sample gave, in any order. Joining is cheap."""

    parts: tuple[tuple[Tensor, Mapping[str, Tensor]], ...] = ()

    def append(self, ids: Tensor, columns: Mapping[str, Tensor]) -> SampleTable:
        """This table and the rows of one more batch, kept on the CPU."""
        return SampleTable(
            (*self.parts, (ids.cpu(), {name: column.detach().cpu() for name, column in columns.items()}))
        )

    def concat(self, other: SampleTable) -> SampleTable:
        """Both tables."""
        return SampleTable(self.parts + other.parts)

    def sort(self) -> tuple[Tensor, dict[str, Tensor]]:
        """All ids, ascending, and all columns in that order. At least one batch must have been added."""
        ids = torch.cat([part_ids for part_ids, _ in self.parts])
        order = torch.argsort(ids)
        names = self.parts[0][1]
        return ids[order], {name: torch.cat([columns[name] for _, columns in self.parts])[order] for name in names}


@attrs.frozen(eq=False)
class Metric(Component):
    """A fold over batches of samples that can be merged: batches, shards and ranks need not know of each other.

    The score may not depend on how the samples were cut into batches or in which order they came.
    """

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
