"""What all kinds of guidance share: v = u + scale (c - u) of two velocities."""

from __future__ import annotations

import torch

from kinetic import tell
from kinetic.precision import norms
from kinetic.types import State


def combined(c: State, u: State, scale: float, listening: bool) -> State:
    """v = u + scale (c - u), and what it is made of where somebody listens.

    1/2 ||v||^2 = unconditional + scale^2 apart + work, with 1/2 ||c||^2, 1/2 ||u||^2, 1/2 ||c - u||^2 and
    scale <u, c - u>, each float64 `(m,)`.
    """
    v = torch.lerp(u, c, scale)
    if not listening:
        return v
    apart = c - u
    work = scale * (u.double() * apart.double()).flatten(1).sum(1)
    halves = {
        "kpe_conditional": 0.5 * norms(c) ** 2,
        "kpe_unconditional": 0.5 * norms(u) ** 2,
        "kpe_apart": 0.5 * norms(apart) ** 2,
    }
    return tell(v, {**halves, "guidance_work": work})
