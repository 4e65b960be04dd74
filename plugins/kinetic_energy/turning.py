"""Acceleration along and across the path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import attrs
import torch
from torch import Tensor

from kinetic import Column, EnergyMeter, Step
from kinetic.types import State

_UNIT = "squared data units per unit time^4"


@final
@attrs.frozen(eq=False)
class Turning(EnergyMeter):
    """Tangential and normal acceleration of each path: change of speed, and change of direction.

    A step knows the velocities it was built from, v_a first and v_b last, at times t_a and t_b. With a =
    (v_b - v_a)/(t_b - t_a), u the direction of v_a + v_b and a_t = <a, u>, its columns are, each `(n,)` float64,
        acceleration_tangential  mean over time of a_t^2
        acceleration_normal      mean over time of ||a - a_t u||^2
    which together are that of ||a||^2. Velocities of one length give exactly no tangential part, and velocities along
    one line exactly no normal one. The numbers converge with the steps, at order 2 for RK4 and at order 1 for Heun's
    method, `midpoint` and `ab2`.

    Both are NaN, with a note, for Euler's method, which knows one velocity a step.
    """

    described = (
        Column("acceleration_normal", "How much the direction of the velocity changes.", "energy", _UNIT),
        Column("acceleration_tangential", "How much the speed changes.", "energy", _UNIT, main=False),
    )

    def adds(self, step: Step) -> Mapping[str, Tensor]:
        first, last = step.stages[0], step.stages[-1]
        gap = last.t.double() - first.t.double()
        known = gap != 0
        start, end = first.v.double().flatten(1), last.v.double().flatten(1)
        change = (end - start) / torch.where(known, gap, torch.ones_like(gap))[:, None]
        direction = _unit(start + end)
        along = (change * direction).sum(1)
        across = torch.linalg.vector_norm(change - along[:, None] * direction, dim=1)
        seen = torch.where(known, step.dt, torch.zeros_like(step.dt))
        return {"tangential": along.square() * seen, "normal": across.square() * seen, "seen": seen}

    def columns(self, sums: Mapping[str, Tensor], x0: State, x1: State) -> Mapping[str, Tensor]:
        seen = torch.where(sums["seen"] > 0, sums["seen"], torch.nan)
        return {f"acceleration_{part}": sums[part] / seen for part in ("tangential", "normal")}


def _unit(v: Tensor) -> Tensor:
    """v/||v|| of each row; 0 where v is."""
    return v / torch.linalg.vector_norm(v, dim=1, keepdim=True).clamp_min(torch.finfo(v.dtype).tiny)
