"""Length of a path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import attrs
import torch
from torch import Tensor

from kinetic import Column, EnergyMeter, Step
from kinetic.types import State


@final
@attrs.frozen(eq=False)
class Path(EnergyMeter):
    """Length of each path, in data units and beside the straight line between its ends.

    Columns, each `(n,)` float64:
        length      L = int ||v|| dt, in data units; ||x1 - x0||^2 <= L^2 <= 2 KPE
        tortuosity  L / ||x1 - x0|| >= 1; NaN, not defined, for a path that returns to its start
    """

    described = (
        Column("length", "Length of the path.", "energy", "data units"),
        Column("tortuosity", "Length of the path over the distance of its ends, 1 where it is straight.", "energy"),
    )

    def adds(self, step: Step) -> Mapping[str, Tensor]:
        speed = step.mean(lambda stage: (2 * stage.power).sqrt())
        return {"length": speed * step.dt}

    def columns(self, sums: Mapping[str, Tensor], x0: State, x1: State) -> Mapping[str, Tensor]:
        distance = torch.linalg.vector_norm((x1 - x0).double().flatten(1), dim=1)
        tortuosity = torch.where(distance > 0, sums["length"] / distance, torch.nan)
        return {"length": sums["length"], "tortuosity": tortuosity}
