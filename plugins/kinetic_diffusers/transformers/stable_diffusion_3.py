"""Stable Diffusion 3 and 3.5."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kinetic_models.conditions import Widths
from torch import Tensor

from kinetic.types import PerSample, State


def channels(config: Mapping[str, Any]) -> int:
    """Of a latent."""
    return int(config["in_channels"])


def needs(config: Mapping[str, Any]) -> Widths:
    """What it is told, by the shapes of its rows."""
    return {
        "prompt_embeds": (None, config["joint_attention_dim"]),
        "pooled_prompt_embeds": (config["pooled_projection_dim"],),
    }


def patch(config: Mapping[str, Any]) -> int:
    """Side of the squares that a latent is cut into."""
    return int(config["patch_size"])


def velocity(net: Any, x: State, t: PerSample, asked: Mapping[str, Tensor], guidance: float | None) -> State:
    """dx/dt = -net(x, 1000 (1 - t)): its time 0 is data."""
    answer: Tensor = net(
        hidden_states=x,
        timestep=1000 * (1 - t),
        encoder_hidden_states=asked["prompt_embeds"],
        pooled_projections=asked["pooled_prompt_embeds"],
        return_dict=False,
    )[0]
    return -answer
