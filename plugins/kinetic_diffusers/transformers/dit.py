"""DiT, a diffusion model asked by its probability-flow ODE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kinetic_models.conditions import Widths
from kinetic_models.paths.variance_preserving import VariancePreserving
from torch import Tensor

from kinetic.types import PerSample, State

PATH = VariancePreserving("linear", 1e-4, 0.02, 1000, whole=False)
NOISE = {
    "beta_start": 1e-4,
    "beta_end": 0.02,
    "beta_schedule": "linear",
    "num_train_timesteps": 1000,
    "prediction_type": "epsilon",
    "trained_betas": None,
}
"""What a scheduler of its pipelines says of `PATH` and of its answer."""


def channels(config: Mapping[str, Any]) -> int:
    """Of a latent."""
    return int(config["in_channels"])


def needs(config: Mapping[str, Any]) -> Widths:
    """What it is told, by the shapes of its rows."""
    return {}


def patch(config: Mapping[str, Any]) -> int:
    """Side of the squares that a latent is cut into."""
    return int(config["patch_size"])


def velocity(net: Any, x: State, t: PerSample, asked: Mapping[str, Tensor], guidance: float | None) -> State:
    """dx/dt = (x - e) / t of its noise e, the first channels of the answer, at y = x / sqrt(t^2 + (1 - t)^2)."""
    t = t.clamp(*PATH.ends)
    size, at = (each.to(x.dtype).view(-1, 1, 1, 1) for each in (PATH.size(t), t))
    answer = net(
        hidden_states=x * size, timestep=PATH.time(t), class_labels=asked["labels"], return_dict=False
    )[0]  # fmt: skip
    return (x - answer[:, : x.shape[1]]) / at
