"""What a run leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, final

import attrs
import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from kinetic._roles.metric import Score
from kinetic._roles.solver import Status

NOT_ENERGY = ("nfe", "accepted", "rejected", "status", "t_end", "kpe_error", "bending_error", "x1_error", "gain")
"""Columns that tell how a path was walked, not what it cost: no score is held against them."""

_COARSE = 0.1  # above this share of the spread between samples, the error of the energy is worth a warning


@final
@attrs.frozen(eq=False)
class Shard:
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


class ShardStore(Protocol):
    """Where a run keeps its finished parts, and finds those of a run that was cut short."""

    def parts(self) -> list[tuple[int, int]]:
        """The (start, stop) of every part on the store, in order."""

    def load(self, start: int, stop: int) -> Shard:
        """One of them."""

    def save(self, part: Shard) -> None:
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
    def reached(self) -> Tensor:
        """bool `(n,)`, which samples reached t = 1; the energies of the others are those up to where they stopped."""
        if "status" not in self.energy:
            return torch.ones(len(self.samples), dtype=torch.bool)
        return self.energy["status"] == Status.REACHED

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the energies must know: samples that stopped on the way, a grid that dominates."""
        said, reached = [], self.reached
        if not bool(reached.all()):
            codes = self.energy["status"][~reached].int().tolist()
            counts = ", ".join(f"{codes.count(s)} {s.words}" for s in Status if s in codes)
            said.append(
                f"{len(codes)} of {len(reached)} samples did not reach t = 1 ({counts}). Energies and evidence leave "
                "them out, scores do not. Loosen rtol and atol, or raise max_steps."
            )
        if infinite := [name for name, column in self.energy.items() if bool(column.isinf().any())]:
            said.append(
                f"Infinite for some samples: {', '.join(infinite)}. Squares of their states or velocities are above "
                "1.8e308, the largest number of float64. Look at the scale of the field and its data."
            )
        for name in ("kpe", "bending"):
            if f"{name}_error" in self.energy and name in self.energy and int(reached.sum()) > 1:
                error = float(np.median(self.energy[f"{name}_error"][reached].numpy()))
                spread = float(self.energy[name][reached].std(correction=0))
                if error > _COARSE * spread:
                    share = f"{error / spread:.0%}" if spread else "more than all"
                    said.append(
                        f"The grid dominates: the median error of {name}, {error:.3g}, is {share} of its spread "
                        f"between samples, {spread:.3g}. Take more steps or a higher order."
                    )
        return tuple(said)

    @property
    def table(self) -> pa.Table:
        """A row per sample: `sample`, `class` where there is one, energies, and scores as `metric.column`.

        `status`, where the solver can give up, says in words how the path ended.
        """
        columns: dict[str, Any] = {"sample": pa.array(np.arange(len(self.samples)))}
        if self.condition is not None:
            columns["class"] = pa.array(self.condition.numpy())
        for name, column in self.energy.items():
            columns[name] = pa.array([Status(int(c)).words for c in column]) if name == "status" else arrow(column)
        for metric, score in self.details.items():
            for name, column in score.columns.items():
                columns[f"{metric}.{name}"] = arrow(column)
        return pa.table(columns)


def arrow(column: Tensor) -> pa.Array:
    """A column `(n,)` or `(n, k)` as arrow has it."""
    values = column.numpy()
    if values.ndim == 1:
        return pa.array(values)
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
