"""Stable Diffusion 3 and 3.5."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from kinetic.types import PerSample, State

NEEDS = ("prompt_embeds", "pooled_prompt_embeds")


def channels(config: Mapping[str, Any]) -> int:
    """Of a latent."""
    return int(config["in_channels"])


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
