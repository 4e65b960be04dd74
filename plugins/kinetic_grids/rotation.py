"""The grid of equal rotation."""

from __future__ import annotations

from typing import ClassVar, final

import attrs
import torch
from torch import Tensor

from kinetic import CalibratedGrid, Step
from kinetic.types import PerSample


@final
@attrs.frozen(eq=False)
class Rotation(CalibratedGrid):
    """Steps over each of which the velocity turns by the same angle, in the mean over paths.

    The angle between the velocities v_k and v_{k+1} at both ends of a short step is counted, with u = v/||v||:
        2 atan2(||u_{k+1} - u_k||, ||u_{k+1} + u_k||).
    A change of speed alone counts nothing. TORS turns the whole Frenet frame of paths that are projected to three
    dimensions, torsion included; this is the rotation of the tangent, in all dimensions.

    Source: the idea of constant total rotation (TORS), arXiv 2603.00763.
    """

    formula: ClassVar[str] = "the mean angle that the velocity turns by"

    @classmethod
    def adds(cls, step: Step) -> PerSample:
        first, last = (_direction(stage.v) for stage in step.stages)
        apart, together = (torch.linalg.vector_norm(each, dim=1) for each in (last - first, last + first))
        return 2 * torch.atan2(apart, together)

    @classmethod
    def density(cls, counts: Tensor) -> Tensor:
        return torch.cat([counts[:-1], counts[-2:-1]])  # at t = 1 no velocity is asked


def _direction(v: Tensor) -> Tensor:
    """v/||v|| of each sample, float64 `(m, d)`; 0 where v is."""
    flat = v.double().flatten(1)
    return flat / torch.linalg.vector_norm(flat, dim=1, keepdim=True).clamp_min(torch.finfo(flat.dtype).tiny)
