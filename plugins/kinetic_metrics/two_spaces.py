"""Metrics that look at samples as they are, and again in a feature space where one is given."""

from __future__ import annotations

import abc
from collections.abc import Mapping

import attrs
import torch
from torch import Tensor

import kinetic
from kinetic import Column, Dataset, FeatureSpace, Samples, Score, TableMetric, TensorData, device_of, embed
from kinetic.types import State
from kinetic_metrics.data_options import check_shapes

_END, _KEPT = "_features", "features of the sample"
_ROWS = 500  # samples whose features are looked at at a time


@attrs.frozen(eq=False)
class TwoSpaceMetric(TableMetric):
    """A metric that looks for each sample among the points of data sets, and with `features` given again in that space.

    A batch is looked at in pixels as it comes. In features all are in the end, so that the network sees each data set
    once; the columns of that have `_features` in their names.
    """

    features: FeatureSpace | None

    @property
    @abc.abstractmethod
    def in_pixels(self) -> tuple[Column, ...]:
        """What its columns in pixels mean, the most telling first."""

    @abc.abstractmethod
    def look(self, x: State, *data: Dataset) -> Mapping[str, Tensor]:
        """Columns `(m,)` of points `(m, *event)` among those of `references`, or among the features of all these."""

    @abc.abstractmethod
    def conclude(self, columns: dict[str, Tensor]) -> Score:
        """The score, from the columns `(n,)` of both spaces."""

    @property
    def ends(self) -> tuple[str, ...]:
        """What the names of columns end in, for each space."""
        return ("",) if self.features is None else ("", _END)

    @property
    def described(self) -> tuple[Column, ...]:
        if self.features is None:
            return self.in_pixels
        space = type(self.features).__name__
        return (*self.in_pixels, *(_in_features(column, space) for column in self.in_pixels))

    def check(self, samples: Samples) -> None:
        super().check(samples)
        if self.features is not None:
            x = embed(self.features, samples.x)
            for data in self.references:
                kinetic.check_reference(self.features, x, data)

    def rows(self, samples: Samples) -> Mapping[str, Tensor]:
        check_shapes(self, samples)
        columns = self.look(samples.x, *self.references)
        return columns if self.features is None else {**columns, _KEPT: embed(self.features, samples.x)}

    def judge(self, ids: Tensor, rows: dict[str, Tensor]) -> Score:
        return self.conclude(rows if self.features is None else rows | self._again(rows.pop(_KEPT), self.features))

    def _again(self, x: Tensor, space: FeatureSpace) -> dict[str, Tensor]:
        device = device_of(space) or torch.device("cpu")
        tables = [TensorData(space.table(data).to(device)) for data in self.references]
        parts = [self.look(some.to(device), *tables) for some in x.split(_ROWS)]
        return {f"{name}{_END}": torch.cat([part[name] for part in parts]).cpu() for name in parts[0]}


def _in_features(column: Column, space: str) -> Column:
    return attrs.evolve(
        column,
        name=f"{column.name}{_END}",
        mean=column.mean and f"{column.mean}{_END}",
        says=f"In {space} features: {column.says}",
        unit="feature units" if column.unit == "data units" else column.unit,
    )
