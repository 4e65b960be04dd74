"""What is known of paths that another program walked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import final

import pyarrow as pa
import torch
from torch import Tensor

from kinetic._roles.meter import EnergyMeter
from kinetic._roles.schedule import Schedule
from kinetic._sample.foreign_path import ForeignPath, Gain, Stages
from kinetic._sample.run import arrow
from kinetic.errors import OptionError, shown
from kinetic.types import State

_SHORT = 1e-5  # of the unit time: what a path lacks at its ends by rounding


@final
class PathMeter:
    """The energies of paths that another program walks, a row for each sample of each path.

    Args:
        meters: `{name: EnergyMeter}`.
        schedule: a gain on the velocity, or None.

    Attributes:
        paths: one for each batch that was moved from its noise on, in the order in which they began.
    """

    def __init__(self, meters: Mapping[str, EnergyMeter], schedule: Schedule | None = None) -> None:
        if not isinstance(meters, Mapping) or not all(isinstance(each, EnergyMeter) for each in meters.values()):
            raise OptionError(f"'meters' must map names to EnergyMeters: {shown(meters)}")
        if not (schedule is None or isinstance(schedule, Schedule)):
            raise OptionError(f"'schedule' must be a Schedule or None: {shown(schedule)}")
        self.meters, self.shaping = meters, Gain(schedule)
        self.paths: list[ForeignPath] = []
        self._remarks: dict[str, None] = {}

    def begin(self, x0: State, t0: float = 0.0) -> ForeignPath:
        """A path that begins at x0 `(n, *event)` at the time t0."""
        self.paths.append(ForeignPath(self.meters, self.shaping, x0, t0))
        return self.paths[-1]

    def add(self, t0: float, t1: float, x0: State, x1: State, v: State | Stages) -> None:
        """Enter one step by hand: the next of the path that is at t0, else the first of a new one.

        Args:
            t0, t1: from when to when; t = 0 is noise, t = 1 data.
            x0, x1: `(n, *event)`, from where to where.
            v: `(n, *event)`, the velocity dx/dt of the step, or `(t, v, weight)` of each that it was built from, with
                weights that sum to 1: `[(t0, v0, 0.5), (t1, v1, 0.5)]` for Heun's method.
        """
        path = self.paths[-1] if self.paths and self.paths[-1].continues(t0, x0) else self.begin(x0, t0)
        path.add(t1, x0, x1, [(t0, v, 1.0)] if isinstance(v, Tensor) else v)

    def remark(self, note: str) -> None:
        """Something a reader of the energies must know; once, however often it is said."""
        self._remarks[note] = None

    def close(self) -> None:
        """Keep the numbers, and let go of the states."""
        self.paths = [path for path in self.paths if path.velocities]
        for path in self.paths:
            path.close()

    @property
    def energy(self) -> dict[str, Tensor]:
        """`{column: (n,)}` float64, `(n, k)` for a curve; NaN where a path has no such column.

        `path` is the number of the path. Beside the columns of the meters, `nfe`, `x0_sq`, `x0_dot_x1`, `x1_sq` and
        `gain` are as of the `Runner`; `t_start` and `t_end` are the times of the first and the last state, and `edits`
        counts how often something else than the path moved the sample. Where it did, columns that join the two ends,
        such as `displacement` and `bending`, are NaN.
        """
        of_paths = [path.columns() for path in self.paths if path.velocities]
        lengths = [len(columns["nfe"]) for columns in of_paths]
        names = {name: column for columns in of_paths for name, column in columns.items()}
        if not names:
            return {}
        numbers = torch.arange(len(lengths), dtype=torch.float64).repeat_interleave(torch.tensor(lengths))
        return {"path": numbers} | {
            name: torch.cat(
                [
                    columns.get(name, torch.full((n, *like.shape[1:]), torch.nan, dtype=torch.float64))
                    for columns, n in zip(of_paths, lengths, strict=True)
                ]
            )
            for name, like in names.items()
        }

    @property
    def table(self) -> pa.Table:
        """A pyarrow table with a row per sample: `sample`, then the columns of `energy`; null where one is NaN."""
        energy = self.energy
        columns = {"sample": pa.array(range(len(next(iter(energy.values()), ()))), pa.int64())}
        for name, column in energy.items():
            columns[name] = pa.array(column.numpy(), from_pandas=True) if column.dim() == 1 else arrow(column)
        return pa.table(columns)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the energies must know."""
        energy = self.energy
        if not energy:
            return (*self._remarks, "Nothing was weighed: no step was made.")
        return (*self._remarks, *_of_ends(energy), *_of_edits(energy), *_of_numbers(energy))


def _of_ends(energy: Mapping[str, Tensor]) -> Iterator[str]:
    n = len(energy["path"])
    short = energy["t_end"] < 1 - _SHORT
    if bool(short.any()):
        yield (
            f"{int(short.sum())} of {n} samples stop at t = {energy['t_end'][short].min():.3g}, not 1: the noise of "
            "that time is left in them, and their energies are those up to there."
        )
    late = energy["t_start"] > _SHORT
    if bool(late.any()):
        yield (
            f"{int(late.sum())} of {n} samples begin at t = {energy['t_start'][late].max():.3g}, not 0: their energies "
            "are those from there on."
        )


def _of_edits(energy: Mapping[str, Tensor]) -> Iterator[str]:
    edited = energy["edits"] > 0
    if bool(edited.any()):
        yield (
            f"{int(edited.sum())} of {len(edited)} samples were moved between steps by something else than "
            f"the velocity, up to {int(energy['edits'].max())} times: columns that join the ends are left out."
        )


def _of_numbers(energy: Mapping[str, Tensor]) -> Iterator[str]:
    bad = ~(energy["x1_sq"].isfinite() & energy["x0_sq"].isfinite())
    if bool(bad.any()):
        yield f"{int(bad.sum())} of {len(bad)} samples are not finite at an end of their path."
