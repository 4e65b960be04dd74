"""The energies of the parts of guidance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import attrs
import torch
from torch import Tensor

from kinetic import Column, EnergyMeter, Step, told
from kinetic.types import State

_UNIT = "squared data units"
_PARTS = ("kpe_conditional", "kpe_unconditional", "kpe_apart", "guidance_work")


@final
@attrs.frozen(eq=False)
class GuidanceEnergy(EnergyMeter):
    """What the halves of a guided velocity v = v_u + w (v_c - v_u) would cost along the guided path.

    Columns, each `(n,)` float64, summed over the elements of a sample, at no further velocity:
        kpe_conditional    1/2 int ||v_c||^2 dt
        kpe_unconditional  1/2 int ||v_u||^2 dt
        kpe_apart          1/2 int ||v_c - v_u||^2 dt, what guidance has to work with
        guidance_work      w int <v_u, v_c - v_u> dt
    kpe = kpe_unconditional + w^2 kpe_apart + guidance_work holds exactly, with v_u and v_c as they are added: after
    rescaling, CFG-Zero* and the gain of a schedule. Where guidance is off both are v_c.

    They are NaN, with a note, where a field is not guided, or changes the velocity of a guided one (`temperature`,
    `momentum`), and under a solver that makes velocities of its own out of those it was given: adaptive ones.
    """

    @property
    def described(self) -> tuple[Column, ...]:
        return (
            Column("kpe_apart", "What the difference of both halves of guidance costs.", "energy", _UNIT),
            Column("kpe_conditional", "What the conditional half of guidance costs.", "energy", _UNIT, main=False),
            Column("kpe_unconditional", "What the unconditional half of guidance costs.", "energy", _UNIT, main=False),
            Column("guidance_work", "What guidance does along the unconditional half.", "energy", _UNIT, main=False),
        )

    @property
    def listens(self) -> bool:
        return True

    def adds(self, step: Step) -> Mapping[str, Tensor]:
        sums = {name: torch.zeros_like(step.dt) for name in _PARTS}
        for stage in step.stages:
            parts = told(stage.v) if stage.weight else {}
            for name in _PARTS if stage.weight else ():
                sums[name] = sums[name] + stage.weight * step.dt * parts.get(name, torch.nan)
        return sums

    def columns(self, sums: Mapping[str, Tensor], x0: State, x1: State) -> Mapping[str, Tensor]:
        return dict(sums)
