"""A state that keeps a row of each sample, and the metrics that have one."""

from __future__ import annotations

import abc
import math
from collections.abc import Mapping
from typing import Any, ClassVar

import attrs
import torch
from torch import Tensor

from kinetic import evidence
from kinetic._display import Card, Displayed, several
from kinetic._roles.metric import Metric, Samples, Score
from kinetic.errors import OptionError
from kinetic.evidence import Estimate


@attrs.frozen(eq=False, repr=False)
class SampleTable(Displayed):
    """What each observed sample gave, in any order. Joining is cheap."""

    parts: tuple[tuple[Tensor, Mapping[str, Tensor]], ...] = ()

    def __len__(self) -> int:
        return sum(len(ids) for ids, _ in self.parts)

    def _card(self) -> Card:
        columns = {name: None for _, part in self.parts[:1] for name in part}
        return Card("SampleTable", (("", f"{len(self)} rows: {several(columns)}"),), inline=True)

    def append(self, ids: Tensor, columns: Mapping[str, Tensor]) -> SampleTable:
        """This table and the rows of one more batch, kept on the CPU."""
        kept = {name: column.detach().cpu() for name, column in columns.items()}
        return SampleTable((*self.parts, (ids.cpu(), kept)))

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
class TableMetric(Metric):
    """A metric that keeps a row of each sample, and judges all rows in the end."""

    samples_needed: ClassVar[int] = 2
    """How few samples it can judge; what depends on its options, `judge` checks."""

    @abc.abstractmethod
    def rows(self, samples: Samples) -> Mapping[str, Tensor]:
        """What is kept of each sample of a batch, `{name: (m, ...)}`, each row from its own sample alone."""

    @abc.abstractmethod
    def judge(self, ids: Tensor, rows: dict[str, Tensor]) -> Score:
        """The score of all samples: ids int64 `(n,)`, ascending, and rows `{name: (n, ...)}` in that order, on the CPU.

        The framework fills in the ids of a score with columns.
        """

    def begin(self) -> SampleTable:
        return SampleTable()

    def observe(self, state: SampleTable, samples: Samples) -> SampleTable:
        if not bool(torch.isfinite(samples.x).all()):
            raise OptionError("samples must be finite: some are NaN or infinite")
        return state.append(samples.ids, self.rows(samples))

    def merge(self, a: SampleTable, b: SampleTable) -> SampleTable:
        return a.concat(b)

    def finish(self, state: SampleTable) -> Score:
        if len(state) < self.samples_needed:
            raise OptionError(f"this score needs {self.samples_needed} samples or more: {len(state)}")
        ids, rows = state.sort()
        score = self.judge(ids, rows)
        return attrs.evolve(score, ids=ids) if score.columns and score.ids is None else score

    def means(self, columns: Mapping[str, Tensor]) -> dict[str, Estimate]:
        """The mean of each column of numbers, the share of each of yes and no, under the names that `described` has."""
        names = {column.name: column.value for column in self.described}
        return {names.get(name, name): mean_of(column) for name, column in columns.items() if has_mean(column)}


@attrs.frozen(eq=False)
class SampleMetric(TableMetric):
    """A metric that says something of each sample by itself.

    A subclass states its columns. Their means become the values, with bootstrap intervals; of a column of yes and no
    the share, with Wilson's; a column of whole numbers has none.

        @attrs.frozen(eq=False)
        class Brightness(kinetic.SampleMetric):
            def columns(self, samples):
                return {"brightness": samples.x.flatten(1).mean(1)}
    """

    @abc.abstractmethod
    def columns(self, samples: Samples) -> Mapping[str, Tensor]:
        """A number, or a yes or no, of each sample of a batch, `{name: (m,)}`."""

    def notes(self, columns: Mapping[str, Tensor]) -> tuple[str, ...]:
        """What a reader of the values must know, from all columns `{name: (n,)}`, in plain sentences."""
        return ()

    def rows(self, samples: Samples) -> Mapping[str, Tensor]:
        return self.columns(samples)

    def judge(self, ids: Tensor, rows: dict[str, Tensor]) -> Score:
        return Score(self.means(rows), ids, rows, self.notes(rows))


def has_mean(column: Tensor) -> bool:
    """Whether the numbers of a column can be averaged: not indices or counts of whole numbers."""
    return column.is_floating_point() or column.dtype == torch.bool


def mean_of(column: Tensor, strata: Tensor | None = None) -> Estimate:
    """The mean of a column `(n,)` with its interval; of yes and no the share, with Wilson's.

    NaN without an interval where some of its numbers are not finite. `strata`, `(n,)`, are classes that the ids fix.
    """
    if not bool(column.isfinite().all()):
        return Estimate(math.nan)
    values: Any = column.double().numpy()
    classes: Any = None if strata is None else strata.numpy()
    return (evidence.proportion if column.dtype == torch.bool else evidence.mean)(values, classes)
