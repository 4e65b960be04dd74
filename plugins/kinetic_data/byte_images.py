"""Images held as the bytes they were saved as."""

from __future__ import annotations

from typing import Any, final

import attrs
import numpy as np
import torch
from torch import Tensor

from kinetic import Dataset
from kinetic.errors import ShapeError
from kinetic.types import is_channels_last, way_to_images

_CHANNELS = (1, 3)


@final
@attrs.frozen(eq=False)
class ByteImages(Dataset):
    """Images kept in 8 bits, a quarter of the memory, and read as `(n, c, h, w)`, c = 1 or 3: byte b as b / 127.5 - 1.

    Args:
        x: uint8 `(n, h, w, c)` or `(n, c, h, w)`. Which of both must be plain from the shape. A NumPy array may be
            mapped: it then stays in its file, on every device, and is read a block at a time.
        labels: int64 `(n,)`, or None.
    """

    x: Tensor | np.ndarray[Any, Any] = attrs.field()
    labels: Tensor | None = None
    channels_last: bool = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        shape = tuple(self.x.shape)
        first, last = (len(shape) == 4 and shape[dim] in _CHANNELS for dim in (1, 3))
        if first == last or 0 in shape:
            either = first and last and 0 not in shape
            way = "Save them as x / 127.5 - 1, float32, (n, 1 or 3, height, width)." if either else _way(shape)
            raise ShapeError(
                f"bytes of images must have shape (n, height, width, 1 or 3) or (n, 1 or 3, height, width), n >= 1: "
                f"{shape}: it {'could be either' if either else 'is neither'}\n  {way}"
            )
        if self.labels is not None and self.labels.shape != shape[:1]:
            raise ShapeError(f"labels must have shape ({shape[0]},): {tuple(self.labels.shape)}")
        object.__setattr__(self, "channels_last", last)

    @property
    def event_shape(self) -> torch.Size:
        shape = torch.Size(self.x.shape[1:])
        return torch.Size([shape[2], *shape[:2]]) if self.channels_last else shape

    def __len__(self) -> int:
        return len(self.x)

    def read(self, start: int, stop: int) -> Tensor:
        return self._converted(self.x[start:stop])

    def take(self, index: Tensor) -> Tensor:
        if isinstance(self.x, Tensor):
            return self._converted(self.x[index.to(self.x.device)])
        return self._converted(self.x[index.cpu().numpy()])

    @property
    def notes(self) -> tuple[str, ...]:
        """How the bytes are read."""
        order = "(n, height, width, channels), channels put first" if self.channels_last else "(n, channels, ...)"
        return (f"Bytes of {len(self)} images, {order}: b is read as b / 127.5 - 1.",)

    def _converted(self, part: Tensor | np.ndarray[Any, Any]) -> Tensor:
        x = part if isinstance(part, Tensor) else torch.from_numpy(np.array(part))
        x = x.permute(0, 3, 1, 2) if self.channels_last else x
        return x.contiguous().float() / 127.5 - 1


def _way(shape: tuple[int, ...]) -> str:
    if 0 in shape:
        return "Give one image or more, of one pixel or more."
    if is_channels_last(shape[1:]):
        return "If the fourth channel is transparency, drop it: x[..., :3]."
    return way_to_images(shape[1:])
