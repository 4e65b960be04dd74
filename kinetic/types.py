"""Shapes, named once. n = samples of a batch, m = those of them that still move, *event = shape of one sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

State = Tensor
"""`(m, *event)`: positions or velocities. Images are `(m, channel, height, width)` in [-1, 1]."""

PerSample = Tensor
"""`(m,)`: one number a sample."""

Rows = Tensor | slice
"""Which samples of a batch: int64 `(m,)`, or `slice(None)` for all of them."""

ALL = slice(None)


def is_all(rows: Rows) -> bool:
    """Whether rows are all of them, without looking at a tensor."""
    return isinstance(rows, slice) and rows == ALL


_CHANNELS = (1, 3, 4)  # of an image: gray, RGB, RGB and transparency


def is_channels_last(shape: Sequence[int]) -> bool:
    """Whether points of this shape are images with their channels last, (height, width, channel), by the shape alone.

    They are where the last number is one of channels, the first is not, and the second is larger: (32, 32, 3), but
    not (16, 4, 4), which may be 16 channels of 4 x 4.
    """
    return len(shape) == 3 and shape[2] in _CHANNELS and shape[0] not in _CHANNELS and shape[1] > shape[2]


def way_to_images(shape: Sequence[int]) -> str:
    """What makes images (1 or 3, height, width) of points of another shape, as far as the shape tells."""
    if is_channels_last(shape):
        return "Put the channels first: x.permute(0, 3, 1, 2)" + (", and drop the fourth." if shape[2] == 4 else ".")
    if len(shape) == 3 and shape[0] == 4:
        return "If the fourth channel is transparency, drop it: x[:, :3]."
    if len(shape) == 2:
        return "Give gray images their channel: x[:, None]."
    if len(shape) == 1:
        return "Give flattened images their shape, in the order they had: x.reshape(-1, channels, height, width)."
    return "Give images as (channel, height, width), with 1 or 3 channels."


Velocity = Callable[[State, PerSample, Rows], State]
"""`velocity(x, t, rows) -> v`, what a solver integrates: x, v `(m, *event)`, t `(m,)` float64."""
