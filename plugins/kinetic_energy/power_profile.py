"""Power against time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import attrs
import torch
from torch import Tensor

from kinetic import Column, EnergyMeter, Step, options
from kinetic.types import State

_UNIT = "squared data units per unit time"


@final
@attrs.frozen(eq=False)
class PowerProfile(EnergyMeter):
    """Power 1/2 ||v||^2 of each sample against time, as its mean over equal intervals of time.

    Columns:
        power      `(n, bins)`: mean power in [j/bins, (j+1)/bins]; their mean over the bins is the KPE
        peak       `(n,)`: the largest of them
        peak_time  `(n,)`: the middle of the interval it is in, so known to half an interval
    A step across several intervals is shared out by time: there are never more details than steps.
    The report draws mean and quantile bands of `power` for each arm.
    """

    described = (
        Column("power", "Half the squared speed, as its mean over each interval of time.", "energy", _UNIT),
        Column("peak", "The largest of these means.", "energy", _UNIT, main=False),
        Column("peak_time", "The middle of the interval that has it.", "energy", "time", main=False),
    )
    bins: int = options.integer(50, at_least=1, at_most=10**6, doc="number of time intervals")

    def adds(self, step: Step) -> Mapping[str, Tensor]:
        edges = torch.arange(self.bins + 1, dtype=torch.float64, device=step.t0.device) / self.bins
        inside = torch.minimum(step.t1[:, None], edges[1:]) - torch.maximum(step.t0[:, None], edges[:-1])
        share = inside.clamp_min(0) / step.dt[:, None]
        return {"power": step.energy[:, None] * share * self.bins}

    def columns(self, sums: Mapping[str, Tensor], x0: State, x1: State) -> Mapping[str, Tensor]:
        power = sums["power"]
        peak, where = power.max(1)
        return {"power": power, "peak": peak, "peak_time": (where.double() + 0.5) / self.bins}
