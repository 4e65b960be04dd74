"""What the image networks share: three channels, a range, an import that explains itself."""

from __future__ import annotations

import importlib
from typing import Any

from torch import Tensor

from kinetic.errors import MissingPackageError, ShapeError
from kinetic.types import way_to_images

RGB = "images clipped to [-1, 1], gray repeated to 3 channels"
"""What `as_rgb` does, in words."""


def as_rgb(x: Tensor) -> Tensor:
    """Images `(m, c, h, w)` in [-1, 1] with c = 1 or 3, to `(m, 3, h, w)` in [0, 1], float32; gray is repeated.

    Values outside [-1, 1] are clipped, as saving an image would.
    """
    if x.dim() != 4 or x.shape[1] not in (1, 3):
        raise ShapeError(
            f"images must have shape (n, 1 or 3, height, width): {tuple(x.shape)}\n  {way_to_images(x.shape[1:])}"
        )
    return ((x.float().clamp(-1, 1) + 1) / 2).expand(-1, 3, -1, -1)


_MATCH = (
    "It needs a torchvision that matches torch: take both from the same index, e.g. "
    "`pip install --force-reinstall torch torchvision`."
)


def need(module: str, package: str, remedy: str = _MATCH) -> Any:
    """Import a package that brings torchvision along; `remedy` is the way on where it is not that which is amiss.

    Raises:
        MissingPackageError: it does not import; the message says what usually helps.
    """
    try:
        return importlib.import_module(module)
    except (ImportError, RuntimeError) as error:
        raise MissingPackageError(f"{package} does not import here: {error}\n  {remedy}") from error
