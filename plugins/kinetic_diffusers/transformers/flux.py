"""Flux.1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from kinetic_models.conditions import Widths
from torch import Tensor

from kinetic.types import PerSample, State


def channels(config: Mapping[str, Any]) -> int:
    """Of a latent: the transformer sees patches of 2 x 2."""
    return int(config["in_channels"]) // 4


def needs(config: Mapping[str, Any]) -> Widths:
    """What it is told, by the shapes of its rows."""
    return {
        "prompt_embeds": (None, config["joint_attention_dim"]),
        "pooled_prompt_embeds": (config["pooled_projection_dim"],),
    }


def patch(config: Mapping[str, Any]) -> int:
    """Side of the squares that a latent is cut into."""
    return 2


def velocity(net: Any, x: State, t: PerSample, asked: Mapping[str, Tensor], guidance: float | None) -> State:
    """dx/dt = -net(x, 1 - t), in patches of 2 x 2 with their rows and columns; guidance is told, not computed."""
    n, c, h, w = x.shape
    packed = x.view(n, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5).reshape(n, h // 2 * (w // 2), 4 * c)
    rows, columns = torch.meshgrid(torch.arange(h // 2), torch.arange(w // 2), indexing="ij")
    places = torch.stack([torch.zeros_like(rows), rows, columns], -1).view(-1, 3).to(x)
    text = asked["prompt_embeds"]
    answer = net(
        hidden_states=packed,
        timestep=1 - t,
        guidance=None if guidance is None else torch.full_like(t, guidance),
        pooled_projections=asked["pooled_prompt_embeds"],
        encoder_hidden_states=text,
        txt_ids=torch.zeros(text.shape[1], 3).to(x),
        img_ids=places,
        return_dict=False,
    )[0]
    return -answer.view(n, h // 2, w // 2, c, 2, 2).permute(0, 3, 1, 4, 2, 5).reshape(x.shape)
