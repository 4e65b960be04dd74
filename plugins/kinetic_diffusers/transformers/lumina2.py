"""Lumina-Image 2.0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from kinetic.types import PerSample, State

NEEDS = ("prompt_embeds", "prompt_attention_mask")


def channels(config: Mapping[str, Any]) -> int:
    """Of a latent."""
    return int(config["in_channels"])


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
