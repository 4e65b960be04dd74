"""The grid of equal information."""

from __future__ import annotations

from typing import ClassVar, final

import attrs
import torch
from torch import Tensor

from kinetic import CalibratedGrid, Stage, Step
from kinetic.types import PerSample, State


@final
@attrs.frozen(eq=False)
class Entropic(CalibratedGrid):
    """Entropic time: over each step the entropy of the data given the state, H(x1 | x_t), falls by as much.

    On the linear path, with D = x_t + (1 - t) v the mean of x1 given x_t and mmse(t) = E||x1 - D||^2, I-MMSE says
        -dH/dt = t/(1 - t)^3 mmse(t).
    By the law of total variance mmse(t) = E||x1||^2 - E||D||^2, and D is x1 at t = 1: so each short step counts what it
    adds to ||D||^2, 2 (1 - t) <D, dv>, and mmse is the sum over those to come. No data and no divergence are asked for.

    It holds where v is the mean velocity of the linear path from N(0, I): for a closed form or a trained net as it is,
    not guided and not shaped. Of data that have a density, H falls without end as t -> 1: what falls behind the last
    but one of the short steps is not counted.

    Source: Stancevic et al., Entropic Time Schedulers, arXiv 2504.13612, of which this is the plain entropic time, not
    the rescaled one.
    """

    formula: ClassVar[str] = "the fall of the entropy of the data given the state, int t/(1 - t)^3 mmse(t) dt"

    @classmethod
    def adds(cls, step: Step) -> PerSample:
        first, last = step.stages
        before, after = _mean(step.x0, first), _mean(step.x1, last)
        turned = (last.v.double() - first.v.double()).flatten(1)
        left = 1 - 0.5 * (first.t + last.t)
        return left * ((before + after) * turned).sum(1)

    @classmethod
    def density(cls, counts: Tensor) -> Tensor:
        counts = torch.cat([counts[:-1], counts[-2:-1] / 3])  # they fall with 1 - t; at t = 1 no velocity is asked
        mmse = counts.flip(0).cumsum(0).flip(0).clamp_min(0)  # at the start of each interval
        middle = 0.5 * (mmse + torch.cat([mmse[1:], mmse.new_zeros(1)]))
        t = (torch.arange(len(counts), dtype=counts.dtype) + 0.5) / len(counts)
        rate = t / (1 - t) ** 3 * middle
        return torch.cat([rate[:-1], rate[-2:-1]])


def _mean(x: State, stage: Stage) -> Tensor:
    """D = x + (1 - t) v of each sample, float64 `(m, d)`."""
    left = (1 - stage.t).view(-1, *[1] * (x.dim() - 1))
    return (x.double() + left * stage.v.double()).flatten(1)
