"""The data: scikit-learn's handwritten digits."""

from __future__ import annotations

from typing import final

import attrs
import numpy as np
import torch
from torch import Tensor

from kinetic import DataInMemory, options
from kinetic.errors import OptionError

TEST = 360  # held-out points
_SPLIT_SEED = 20260207  # the split is part of what the shipped weights mean: never change it


@final
@attrs.frozen(eq=False)
class Digits(DataInMemory):
    """1,797 real handwritten digits of 8 x 8 pixels, in [-1, 1]: 1,437 for training and 360 held out.

    The split is fixed and stratified by class, and each part is in a fixed shuffled order, so that `size` takes the
    same digits everywhere. Shape `(1, 8, 8)`, float32, labels 0 to 9.

    Args:
        split: which part.
        size: take its first this many digits; nothing takes all of the part.

    Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI (1998), as scikit-learn ships it.
    """

    split: str = options.choice("train", "test", "all", default="train")
    size: int | None = options.integer(None, at_least=1, doc="how many, the first of the part; nothing for all")

    def points(self) -> tuple[Tensor, Tensor]:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split

        bunch = load_digits()
        train, test = train_test_split(
            np.arange(len(bunch.target)), test_size=TEST, random_state=_SPLIT_SEED, stratify=bunch.target
        )
        index = {"train": train, "test": test, "all": np.concatenate([train, test])}[self.split]
        size = len(index) if self.size is None else self.size
        if size > len(index):
            raise OptionError(f"'size' must be an int from 1 to {len(index)} for split {self.split!r}: {self.size!r}")
        index = index[:size]
        x = torch.from_numpy(bunch.images[index]).float() / 8 - 1
        return x[:, None], torch.from_numpy(bunch.target[index]).long()
