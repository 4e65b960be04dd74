"""What a run leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, final

import attrs
import numpy as np
import pyarrow as pa
from torch import Tensor

from kinetic._metric import Score


@final
@attrs.frozen(eq=False)
class Part:
    """The finished samples of one batch, on the CPU.

    Args:
        start: id of the first; ids are consecutive.
        samples, denoised: `(n, *event)`; see `Samples`.
        energy: `{column: (n,) or (n, k)}` float64.
    """

    start: int
    samples: Tensor
    denoised: Tensor
    energy: Mapping[str, Tensor]

    @property
    def stop(self) -> int:
        """One past the id of the last."""
        return self.start + len(self.samples)


class Shelf(Protocol):
    """Where a run keeps its finished parts, and finds those of a run that was cut short."""

    def parts(self) -> list[tuple[int, int]]:
        """The (start, stop) of every part on the shelf, in order."""

    def load(self, start: int, stop: int) -> Part:
        """One of them."""

    def save(self, part: Part) -> None:
        """Keep a part, whole or not at all."""


@final
@attrs.frozen(eq=False)
class Run:
    """What came of one run.

    Args:
        samples: `(n, *event)`, the samples, ids 0 to n - 1, on the CPU.
        denoised: `(n, *event)`, after the guard's extra Euler step; see `Samples`.
        energy: `{column: (n,)}` float64 from the meters, `(n, k)` for a curve.
        scores: `{metric: {name: value}}`.
        details: `{metric: Score}`, with intervals, per-sample columns and notes.
        condition: int64 `(n,)` class of each sample, or None.
    """

    samples: Tensor
    denoised: Tensor
    energy: Mapping[str, Tensor]
    details: Mapping[str, Score]
    condition: Tensor | None = None

    @property
    def scores(self) -> dict[str, dict[str, float]]:
        """The value of every score."""
        return {metric: {n: e.value for n, e in score.values.items()} for metric, score in self.details.items()}

    @property
    def table(self) -> pa.Table:
        """A row per sample: `sample`, `class` where there is one, energies, and scores as `metric.column`."""
        columns: dict[str, Any] = {"sample": pa.array(np.arange(len(self.samples)))}
        if self.condition is not None:
            columns["class"] = pa.array(self.condition.numpy())
        for name, column in self.energy.items():
            columns[name] = _arrow(column)
        for metric, score in self.details.items():
            for name, column in score.columns.items():
                columns[f"{metric}.{name}"] = _arrow(column)
        return pa.table(columns)


def _arrow(column: Tensor) -> pa.Array:
    values = column.numpy()
    if values.ndim == 1:
        return pa.array(values)
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
