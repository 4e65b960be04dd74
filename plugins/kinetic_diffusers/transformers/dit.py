"""DiT, a diffusion model asked by its probability-flow ODE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kinetic_models.paths.variance_preserving import VariancePreserving
from torch import Tensor

from kinetic.types import PerSample, State

NEEDS = ()
PATH = VariancePreserving(1e-4, 0.02, 1000, whole=False)


def channels(config: Mapping[str, Any]) -> int:
    """Of a latent."""
    return int(config["in_channels"])


def velocity(net: Any, x: State, t: PerSample, asked: Mapping[str, Tensor], guidance: float | None) -> State:
    """dx/dt = (x - e) / t of its noise e, the first channels of the answer, at y = x / sqrt(t^2 + (1 - t)^2)."""
    t = t.clamp(*PATH.ends)
    size, at = (each.to(x.dtype).view(-1, 1, 1, 1) for each in (PATH.size(t), t))
    answer = net(
        hidden_states=x * size, timestep=PATH.time(t), class_labels=asked["labels"], return_dict=False
    )[0]  # fmt: skip
    return (x - answer[:, : x.shape[1]]) / at
