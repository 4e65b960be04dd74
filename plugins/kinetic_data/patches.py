"""Patches cut from two photographs."""

from __future__ import annotations

from typing import final

import attrs
import numpy as np
import torch
from torch import Tensor

from kinetic import DataInMemory, options
from kinetic.errors import OptionError

_SPREAD = 1 / 3  # standard deviation of a normalised patch: 99.7% of a Gaussian lies within [-1, 1]


@final
@attrs.frozen(eq=False)
class Patches(DataInMemory):
    """Square colour patches of two natural photographs, cut where a seeded draw says, in [-1, 1].

    No two have the same corner, and patch i is the same whatever `count` is. Patches of the left two thirds of the
    photographs are for training, those of the right third are held out; none lies across, so that the two have no pixel
    in common. Shape `(3, size, size)`, float32; the label is the photograph, 0 the temple and 1 the flower.

    With `contrast = "normalised"` a patch p becomes (p - mean) / (3 s), s its standard deviation, both over all of its
    elements, and is cut off at -1 and 1; a patch of one colour alone, s = 0, becomes 0.

    Args:
        size: pixels of a side.
        count: how many.
        contrast: as in the photograph, or every patch with the same mean and standard deviation.
        split: which part of the photographs.
        seed: of the draw of the corners.

    Source: the photographs `china.jpg` and `flower.jpg` that scikit-learn ships, 427 x 640 pixels each, by Flickr's
    danielbuechele and vultilion, under a Creative Commons licence with attribution.
    """

    size: int = options.integer(8, at_least=4, at_most=64)
    count: int = options.integer(4096, at_least=1)
    contrast: str = options.choice("raw", "normalised", default="raw")
    split: str = options.choice("train", "test", default="train")
    seed: int = options.integer(0, at_least=0, at_most=2**32 - 1)

    def points(self) -> tuple[Tensor, Tensor]:
        photographs = _photographs()
        border = photographs.shape[2] * 2 // 3
        part = photographs[:, :, :border] if self.split == "train" else photographs[:, :, border:]
        corners = tuple(length - self.size + 1 for length in part.shape[1:3])
        shape = (len(part), *corners)
        if self.count > (most := int(np.prod(shape))):
            raise OptionError(
                f"'count' must be an int from 1 to {most} for patches of {self.size} x {self.size} pixels and split "
                f"{self.split!r}: {self.count!r}"
            )
        order = np.random.RandomState(self.seed).permutation(most)[: self.count]
        which, top, left = np.unravel_index(order, shape)
        side = np.arange(self.size)
        cut = part[which[:, None, None], top[:, None, None] + side[:, None], left[:, None, None] + side]
        x = torch.from_numpy(cut).permute(0, 3, 1, 2).double()
        x = _normalised(x) if self.contrast == "normalised" else x / 127.5 - 1
        return x.float().contiguous(), torch.from_numpy(which).long()


def _photographs() -> np.ndarray:
    """Both photographs, uint8 `(2, 427, 640, 3)`."""
    from sklearn.datasets import load_sample_images

    return np.stack(load_sample_images().images)


def _normalised(x: Tensor) -> Tensor:
    """Each patch with mean 0 and standard deviation 1/3, cut off at -1 and 1.

    Sums of whole numbers are exact, so that a patch of one colour has a spread of 0 and no rounding to blow up.
    """
    x = x - x.mean((1, 2, 3), keepdim=True)
    spread = x.square().mean((1, 2, 3), keepdim=True).sqrt()
    return (_SPREAD * x / spread.clamp_min(1e-12)).clamp(-1, 1)
