"""Metrics that compare tables of features."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

import attrs
import torch
from torch import Tensor

from kinetic._roles.dataset import Dataset
from kinetic._roles.features import FeatureSpace, embed
from kinetic._roles.metric import Samples, Score
from kinetic._roles.sample_table import TableMetric
from kinetic._roles.tree import device_of
from kinetic.errors import ShapeError

_FIRST = 2  # points of a reference that are looked at before anything is computed


def check_reference(space: FeatureSpace, x: Tensor, data: Dataset) -> None:
    """Embed a few points of a data set, and refuse it where they have other features than samples.

    Args:
        space: where both are compared.
        x: `(m, f)`, features of samples.
        data: the data set.
    Raises:
        ShapeError: the numbers of features differ.
    """
    _check_width(space, x, embed(space, data.read(0, min(_FIRST, len(data))).to(x.device)))


@attrs.frozen(eq=False)
class FeatureMetric(TableMetric):
    """A metric that compares the features of all samples with those of data sets, or with each other.

    A subclass has an option `features`, the data sets it compares with, if any, among its options, and a formula. The
    framework embeds each data set once for all metrics that look in one space, and finds every misfit of shapes before
    anything is sampled.

        @attrs.frozen(eq=False)
        class MeanGap(kinetic.FeatureMetric):
            reference: kinetic.Dataset = options.component(kinetic.Dataset, converter=kinetic.as_dataset)
            features: kinetic.FeatureSpace = options.component(kinetic.FeatureSpace, Pixels())

            def compare(self, ids, x, reference):
                return Score({"gap": Estimate(float((x.mean(0) - reference.mean(0)).norm()))})
    """

    features: FeatureSpace

    @abc.abstractmethod
    def compare(self, ids: Tensor, x: Tensor, *references: Any, **_: Any) -> Score:  # Any: a subclass has its own
        """The score.

        Args:
            ids: int64 `(n,)`, ascending.
            x: `(n, f)`, features of the samples in that order, on the CPU.
            references: a tensor `(m, f)` for each of `self.references`, the features of its points, on the CPU.
        """

    @property
    def device(self) -> torch.device:
        """Where the features are computed; comparisons may be too."""
        return device_of(self.features) or torch.device("cpu")

    def check(self, samples: Samples) -> None:
        x = embed(self.features, samples.x)
        for data in self.references:
            check_reference(self.features, x, data)

    def rows(self, samples: Samples) -> Mapping[str, Tensor]:
        return {"x": embed(self.features, samples.x)}

    def judge(self, ids: Tensor, rows: dict[str, Tensor]) -> Score:
        tables = [self.features.table(data) for data in self.references]
        for table in tables:
            _check_width(self.features, rows["x"], table)
        return self.compare(ids, rows["x"], *tables)


def _check_width(space: FeatureSpace, x: Tensor, points: Tensor) -> None:
    ours, theirs = x.shape[1], points.shape[1]
    if ours != theirs:
        raise ShapeError(
            f"samples have {ours} {type(space).__name__} features, the points they are compared with {theirs}"
        )
