"""What scores of images ask of samples."""

from __future__ import annotations

from torch import Tensor

from kinetic.errors import ShapeError
from kinetic.types import State, is_channels_last, way_to_images


def images(x: State, side: int = 2) -> Tensor:
    """Images `(m, c, h, w)` in float64.

    Raises:
        ShapeError: samples of another shape, with their channels last, or lower or narrower than `side` pixels.
    """
    shape = tuple(x.shape[1:])
    known = len(shape) == 3 and shape[0] >= 1 and not is_channels_last(shape)
    if not known or min(shape[1:]) < side:
        way = "" if known else f"\n  {way_to_images(shape)}"
        raise ShapeError(
            f"this score is of images (channel, height, width) of {side} x {side} pixels or more: the samples have "
            f"shape {shape}{way}"
        )
    return x.double()
