"""The grid of SharpEuler: more steps where the velocity changes fast."""

from __future__ import annotations

from typing import ClassVar, final

import attrs
import torch
from torch import Tensor

from kinetic import CalibratedGrid, Step
from kinetic.types import PerSample


@final
@attrs.frozen(eq=False)
class Sharpness(CalibratedGrid):
    """The grid of SharpEuler: steps as dense as the square root of the mean acceleration along paths.

    With v_k the velocities of a path at its short steps, of length h, the density is
        (mean over paths of ||v_{k+1} - v_k||/h)^(1/2).
    The local error of Euler's method is h^2/2 ||dv/dt||; of all grids of N steps this one has the least sum of these.

    Source: Gupta et al., Sharpen Your Flow, arXiv 2605.11547, with their exponent 1/2.
    """

    formula: ClassVar[str] = "int (mean ||dv/dt||)^(1/2) dt"

    @classmethod
    def adds(cls, step: Step) -> PerSample:
        first, last = step.stages
        return torch.linalg.vector_norm((last.v.double() - first.v.double()).flatten(1), dim=1) / step.dt

    @classmethod
    def density(cls, counts: Tensor) -> Tensor:
        return torch.cat([counts[:-1], counts[-2:-1]]).sqrt()  # at t = 1 no velocity is asked
