"""Kinetic Path Energy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import attrs
import torch
from torch import Tensor

from kinetic import Column, EnergyMeter, Step, options
from kinetic.types import PerSample, State

_UNIT = "squared data units"


@final
@attrs.frozen(eq=False)
class KPE(EnergyMeter):
    """Kinetic Path Energy of each sample, 1/2 int_0^1 ||v(x_t, t)||^2 dt, in squared data units.

    Columns, each `(n,)` float64, summed over the elements of a sample (not divided by their number):
        kpe           the energy, sum over steps of dt sum_i weight_i 1/2 ||v_i||^2
        displacement  1/2 ||x1 - x0||^2, the energy of the straight path at constant speed
        bending       kpe - displacement = 1/2 int ||v - (x1 - x0)||^2 dt >= 0, what bends and speed changes cost
        early, late   the energy before and after t = split; kpe = early + late
        kpe_per_dim, bending_per_dim  with `per_dim`, divided by the number of elements of a sample (of a latent, say)
    On the solver's grid kpe = displacement + bending holds exactly, since x1 - x0 is the same weighted sum of the v_i.
    v is the velocity really travelled: guided and shaped. On a path that takes a time T other than 1, as some loops of
    other programs do, displacement is ||x1 - x0||^2 / (2 T), so that bending is still >= 0.

    Source: Li et al., A Kinetic Energy Perspective of Flow Matching, arXiv 2602.07928, equation of the KPE.
    """

    split: float = options.number(0.6, above=0, below=1, doc="time that parts early from late energy")
    per_dim: bool = options.flag(
        False, doc="also give kpe_per_dim and bending_per_dim, divided by the elements of a sample"
    )

    @property
    def described(self) -> tuple[Column, ...]:
        split = f"{self.split:g}"
        return (
            Column("kpe", "Kinetic Path Energy: half the squared speed, summed over the path.", "energy", _UNIT),
            Column("bending", "What the path costs above the straight one at constant speed.", "energy", _UNIT),
            Column("displacement", "What the straight path at constant speed costs.", "energy", _UNIT, main=False),
            Column("early", f"The energy before t = {split}.", "energy", _UNIT, main=False),
            Column("late", f"The energy after t = {split}.", "energy", _UNIT, main=False),
            *(_per_dim() if self.per_dim else ()),
        )

    @property
    def terms(self) -> Mapping[str, Mapping[str, float]]:
        return {"kpe": {"x0_sq": 0.5, "x0_dot_x1": -1.0, "x1_sq": 0.5, "bending": 1.0}}

    def adds(self, step: Step) -> Mapping[str, Tensor]:
        # a step across the split is shared out by time
        if step.span is None:
            before = ((self.split - step.t0) / step.dt).clamp(0, 1)
            return {"kpe": step.energy, "early": step.energy * before}
        start, stop = step.span
        share = min(max((self.split - start) / (stop - start), 0.0), 1.0)
        return {"kpe": step.energy, "early": step.energy if share == 1 else step.energy * share}

    def columns(self, sums: Mapping[str, Tensor], x0: State, x1: State) -> Mapping[str, Tensor]:
        return self._columns(sums, _straight(x0, x1), x0)

    def columns_over(
        self, sums: Mapping[str, Tensor], x0: State, x1: State, duration: PerSample
    ) -> Mapping[str, Tensor]:
        return self._columns(sums, _straight(x0, x1) / duration, x0)

    def _columns(self, sums: Mapping[str, Tensor], displacement: Tensor, x0: State) -> Mapping[str, Tensor]:
        columns = {
            "kpe": sums["kpe"],
            "displacement": displacement,
            "bending": sums["kpe"] - displacement,
            "early": sums["early"],
            "late": sums["kpe"] - sums["early"],
        }
        if self.per_dim:
            d = max(1, x0.shape[1:].numel())
            columns |= {f"{name}_per_dim": columns[name] / d for name in ("kpe", "bending")}
        return columns


def _per_dim() -> tuple[Column, ...]:
    unit, of = f"{_UNIT} per element", "divided by the number of elements of a sample"
    return (
        Column("kpe_per_dim", f"Kinetic Path Energy {of}.", "energy", unit, main=False),
        Column("bending_per_dim", f"What the path costs above the straight one, {of}.", "energy", unit, main=False),
    )


def _straight(x0: State, x1: State) -> Tensor:
    return 0.5 * torch.linalg.vector_norm((x1 - x0).double().flatten(1), dim=1).square()
