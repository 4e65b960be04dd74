"""Lumina-Image 2.0."""

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
    return {"prompt_embeds": (None, config["cap_feat_dim"]), "prompt_attention_mask": (None,)}


def patch(config: Mapping[str, Any]) -> int:
    """Side of the squares that a latent is cut into."""
    return int(config["patch_size"])


def velocity(net: Any, x: State, t: PerSample, asked: Mapping[str, Tensor], guidance: float | None) -> State:
    """dx/dt = net(x, t): kinetic's own time and sign."""
    answer: Tensor = net(
        hidden_states=x,
        timestep=t,
        encoder_hidden_states=asked["prompt_embeds"],
        encoder_attention_mask=asked["prompt_attention_mask"],
        return_dict=False,
    )[0]
    return answer
