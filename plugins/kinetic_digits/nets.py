"""The networks: a velocity net and a classifier."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn

from kinetic.networks import Net, shipped

CLASSES = 10
NULL = CLASSES  # the class of an unconditional sample
WEIGHTS = Path(__file__).parent / "weights"
TRAININGS = 6
"""How many times the small net was trained."""
SMALL = {"width": 92, "blocks": 2, "condition": 48}
"""What the small net is made with."""


class _Block(nn.Module):
    """x + W2 silu(W1 norm(x) (1 + scale) + shift), scale and shift from time and class."""

    def __init__(self, width: int, condition: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulate = nn.Linear(condition, 2 * width)
        self.rise = nn.Linear(width, 2 * width)
        self.fall = nn.Linear(2 * width, width)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.modulate(condition).chunk(2, 1)
        return x + self.fall(nn.functional.silu(self.rise(self.norm(x) * (1 + scale) + shift)))


class VelocityNet(nn.Module):
    """A residual MLP over the 64 pixels, given the time and the class.

    x `(m, 1, 8, 8)`, t `(m,)`, labels int64 `(m,)` in 0 ... 10, where 10 is no class; returns `(m, 1, 8, 8)`.
    """

    def __init__(self, width: int = 224, blocks: int = 3, condition: int = 96) -> None:
        super().__init__()
        self.frequencies: Tensor
        self.register_buffer("frequencies", math.pi * 2.0 ** torch.arange(-2, 6, dtype=torch.float32), persistent=False)
        self.time = nn.Sequential(nn.Linear(16, condition), nn.SiLU(), nn.Linear(condition, condition))
        self.label = nn.Embedding(CLASSES + 1, condition)
        self.enter = nn.Linear(64, width)
        self.blocks = nn.ModuleList(_Block(width, condition) for _ in range(blocks))
        self.leave = nn.Linear(width, 64)

    def forward(self, x: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        phase = t[:, None] * self.frequencies
        condition = nn.functional.silu(self.time(torch.cat([phase.sin(), phase.cos()], 1)) + self.label(labels))
        h = self.enter(x.flatten(1))
        for block in self.blocks:
            h = block(h, condition)
        return self.leave(h).view_as(x)


def small_name(training: int) -> str:
    """The weights of one training of the small net, 1 to `TRAININGS`."""
    return f"digits-small-{training}"


class Classifier(nn.Module):
    """A small convolutional classifier; `features` is its last layer but one, 48 wide."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(1, 24, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(24, 32, 3, padding=1, stride=2),
            nn.SiLU(),
            nn.Conv2d(32, 48, 3, padding=1),
            nn.SiLU(),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(48 * 16, 48),
        )
        self.head = nn.Sequential(nn.SiLU(), nn.Linear(48, CLASSES))

    def features(self, x: Tensor) -> Tensor:
        """`(m, 1, 8, 8)` to `(m, 48)`."""
        return self.trunk(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.trunk(x))


def load(net: Net, name: str) -> Net:
    """The net with shipped weights, as of `kinetic.networks.shipped`."""
    return shipped(net, WEIGHTS / f"{name}.safetensors", "python -m kinetic_digits.train")
