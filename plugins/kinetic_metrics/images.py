"""What scores of images ask of samples."""

from __future__ import annotations

from torch import Tensor

from kinetic.errors import ShapeError
from kinetic.types import State

_CHANNELS = (1, 3)


def images(x: State, side: int = 2) -> Tensor:
    """Images `(m, c, h, w)` in float64.

    Raises:
        ShapeError: samples of another shape, with channels last, or lower or narrower than `side` pixels.
    """
    shape = tuple(x.shape[1:])
    if len(shape) == 3 and shape[2] in _CHANNELS and shape[0] not in _CHANNELS:
        raise ShapeError(
            f"this score is of images (channel, height, width): the samples have shape {shape}, which looks like "
            "(height, width, channel)\n  Bring the channel to the front: x.permute(0, 3, 1, 2) in PyTorch, "
            "x.transpose(0, 3, 1, 2) in NumPy"
        )
    if len(shape) != 3 or shape[0] < 1 or min(shape[1:]) < side:
        raise ShapeError(
            f"this score is of images (channel, height, width) of {side} x {side} pixels or more: the samples have "
            f"shape {shape}"
        )
    return x.double()
