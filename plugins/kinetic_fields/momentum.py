"""A field pushed on by its own past."""

from __future__ import annotations

from typing import final

import attrs
import torch

from kinetic import Batch, options
from kinetic.types import PerSample, State
from kinetic_fields.wrapper import Wrapper


@final
@attrs.frozen(eq=False)
class Momentum(Wrapper):
    """v + a (v - m), m the exponential mean of the velocities before, m <- b m + (1 - b) v; the first is its own mean.

    It is meant for Euler's method, where a velocity is a step, as published. With other solvers m runs over all
    velocities in the order in which they are asked, rejected ones too: another method. It remembers sample by sample,
    as long as the batch lives, and a path begins anew at t = 0, as the second of `doubled` does; a velocity asked
    without a batch has no past.

    Source: Momentum Guidance, arXiv 2602.20360.
    """

    weight: float = options.number(0.5, at_least=0, doc="a")
    decay: float = options.number(0.9, at_least=0, below=1, doc="b")

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        v = self.field.velocity(x, t, batch)
        if batch is None:
            return v
        own = f"momentum {id(self)}"  # two of them in one field have a past each
        mean, asked = batch.recall(own), batch.recall(f"{own} asked")
        if mean is None or asked is None:
            mean, asked = v, torch.ones(len(v), dtype=torch.bool, device=v.device)
        past = (asked & (t > 0)).view(-1, *[1] * (v.dim() - 1))  # rows never asked before hold zeros
        mean = torch.where(past, mean, v)
        batch.remember(own, torch.lerp(v, mean, self.decay))
        batch.remember(f"{own} asked", torch.ones(len(v), dtype=torch.bool, device=v.device))
        return v + self.weight * (v - mean)
