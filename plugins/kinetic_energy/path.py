"""Length and straightness of a path."""

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
    """Length and straightness of each path.

    Columns, each `(n,)` float64:
        length        L = int ||v|| dt, in data units; ||x1 - x0||^2 <= L^2 <= 2 KPE
        straightness  S = int ||(x1 - x0) - v||^2 dt, 0 for a straight path at constant speed (it is 2 bending)
        tortuosity    L / ||x1 - x0|| >= 1, infinite for a path that returns to its start

    Source: straightness as in Liu et al., Flow Straight and Fast, arXiv 2209.03003.
    """

    described = (
        Column("length", "Length of the path.", "energy", "data units"),
        Column("tortuosity", "Length of the path over the distance of its ends, 1 where it is straight.", "energy"),
    )

    def adds(self, step: Step) -> Mapping[str, Tensor]:
        speed = step.mean(lambda stage: (2 * stage.power).sqrt())
        return {"length": speed * step.dt, "energy": step.energy}

    def columns(self, sums: Mapping[str, Tensor], x0: State, x1: State) -> Mapping[str, Tensor]:
        distance = torch.linalg.vector_norm((x1 - x0).double().flatten(1), dim=1)
        return {
            "length": sums["length"],
            "straightness": 2 * sums["energy"] - distance.square(),
            "tortuosity": sums["length"] / distance,
        }
