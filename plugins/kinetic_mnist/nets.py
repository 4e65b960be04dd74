"""The networks: a velocity net and a classifier."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn

from kinetic.networks import Net, shipped

CLASSES = 10
NULL = CLASSES  # the class of an unconditional sample
EVENT = torch.Size([1, 28, 28])
CLASSIFIER = "mnist-classifier"
WEIGHTS = Path(__file__).parent / "weights"
CHECKPOINTS: dict[int, tuple[int, ...]] = {
    4096: (6000,),
    1024: (1000, 2000, 4000, 6000, 8000),
    256: (1000, 2000, 4000, 6000, 8000, 10000),
}
"""For each number of training digits, the steps after which the net is shipped."""


class _Block(nn.Module):
    """skip(x) + conv silu(norm(conv silu(norm(x))) (1 + scale) + shift), scale and shift from time and class."""

    def __init__(self, inward: int, outward: int, condition: int) -> None:
        super().__init__()
        self.first_norm = nn.GroupNorm(8, inward)
        self.first = nn.Conv2d(inward, outward, 3, padding=1)
        self.modulate = nn.Linear(condition, 2 * outward)
        self.second_norm = nn.GroupNorm(8, outward, affine=False)
        self.second = nn.Conv2d(outward, outward, 3, padding=1)
        self.skip = nn.Conv2d(inward, outward, 1) if inward != outward else nn.Identity()

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.modulate(condition)[:, :, None, None].chunk(2, 1)
        h = self.first(nn.functional.silu(self.first_norm(x)))
        h = self.second(nn.functional.silu(self.second_norm(h) * (1 + scale) + shift))
        return self.skip(x) + h


class _Attention(nn.Module):
    """x + W softmax(q k / sqrt(d)) v over the pixels, in heads."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(8, width)
        self.inward = nn.Linear(width, 3 * width)
        self.outward = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        rows, width, height, breadth = x.shape
        tokens = self.inward(self.norm(x).flatten(2).transpose(1, 2))
        q, k, v = tokens.view(rows, -1, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        h = nn.functional.scaled_dot_product_attention(q, k, v)
        h = self.outward(h.transpose(1, 2).reshape(rows, -1, width))
        return x + h.transpose(1, 2).reshape(rows, width, height, breadth)


class VelocityNet(nn.Module):
    """A U-Net of two levels, given the time and the class.

    The 28 x 28 pixels are taken as 14 x 14 with four channels; the lower level is 7 x 7 with self-attention.
    x `(m, 1, 28, 28)`, t `(m,)`, labels int64 `(m,)` in 0 ... 10, where 10 is no class; returns `(m, 1, 28, 28)`.
    """

    def __init__(self, width: int = 40, low_width: int = 80, condition: int = 128, heads: int = 4) -> None:
        super().__init__()
        self.frequencies: Tensor
        self.register_buffer("frequencies", math.pi * 2.0 ** torch.arange(-2, 6, dtype=torch.float32), persistent=False)
        self.time = nn.Sequential(nn.Linear(16, condition), nn.SiLU(), nn.Linear(condition, condition))
        self.label = nn.Embedding(CLASSES + 1, condition)
        self.enter = nn.Conv2d(4, width, 3, padding=1)
        self.position = nn.Parameter(0.02 * torch.randn(1, width, 14, 14))
        self.before = _Block(width, width, condition)
        self.down = nn.Conv2d(width, low_width, 3, stride=2, padding=1)
        self.low_before = _Block(low_width, low_width, condition)
        self.attention = _Attention(low_width, heads)
        self.low_after = _Block(low_width, low_width, condition)
        self.up = nn.Conv2d(low_width, width, 1)
        self.after = _Block(2 * width, width, condition)
        self.leave = nn.Sequential(nn.GroupNorm(8, width), nn.SiLU(), nn.Conv2d(width, 4, 3, padding=1))

    def forward(self, x: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        phase = t[:, None] * self.frequencies
        condition = nn.functional.silu(self.time(torch.cat([phase.sin(), phase.cos()], 1)) + self.label(labels))
        high = self.before(self.enter(nn.functional.pixel_unshuffle(x, 2)) + self.position, condition)
        low = self.low_before(self.down(high), condition)
        low = self.low_after(self.attention(low), condition)
        rise = nn.functional.interpolate(self.up(low), scale_factor=2.0)
        return nn.functional.pixel_shuffle(self.leave(self.after(torch.cat([high, rise], 1), condition)), 2)


def checkpoint_name(size: int, steps: int) -> str:
    """The weights of the net trained on the first `size` digits for so many steps."""
    return f"mnist-{size}-{steps}"


class Classifier(nn.Module):
    """A small convolutional classifier; `features` is its last layer but one, 64 wide."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(16, 32, 3, padding=1, stride=2),
            nn.SiLU(),
            nn.Conv2d(32, 48, 3, padding=1, stride=2),
            nn.SiLU(),
            nn.Conv2d(48, 48, 3, padding=1),
            nn.SiLU(),
            nn.AvgPool2d(2, ceil_mode=True),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(48 * 16, 64),
        )
        self.head = nn.Sequential(nn.SiLU(), nn.Linear(64, CLASSES))

    def features(self, x: Tensor) -> Tensor:
        """`(m, 1, 28, 28)` to `(m, 64)`."""
        return self.trunk(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.trunk(x))


def load(net: Net, name: str) -> Net:
    """The net with shipped weights, as of `kinetic.networks.shipped`."""
    return shipped(net, WEIGHTS / f"{name}.safetensors", "python -m kinetic_mnist.train")
