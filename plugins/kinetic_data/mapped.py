"""A tensor left in its file."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import torch
from torch import Tensor

from kinetic import Dataset, options
from kinetic.errors import OptionError, ShapeError

_BLOCK = 2**22  # elements at a time, when all are looked at
_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "U8": "|u1"}


def tensor_names(path: Path) -> list[str]:
    """What tensors a file has that can be mapped; that of a `.npy` file is called `x`.

    Raises:
        OptionError: another kind of file.
    """
    if options.suffix(path) not in (".npy", ".safetensors"):
        raise OptionError(f"'mapped' needs a .npy or .safetensors file: {path}")
    return ["x"] if options.suffix(path) == ".npy" else list(_header(path)[0])


def _header(path: Path) -> tuple[dict[str, Any], int]:
    """`{name: entry}` of a `.safetensors` file, and where its data begin."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return header, 8 + length


def open_array(path: Path, key: str) -> np.ndarray[Any, Any]:
    """The array of a `.npy`, or the tensor `key` of a `.safetensors` file, mapped: only what is used is read.

    Raises:
        OptionError: a dtype that cannot be mapped.
    """
    if options.suffix(path) == ".npy":
        return np.lib.format.open_memmap(path, mode="r")  # which knows no pickle
    header, start = _header(path)
    entry = header[key]
    if entry["dtype"] not in _DTYPES:
        raise OptionError(f"'mapped' knows the dtypes {', '.join(_DTYPES)}: tensor {key!r} is {entry['dtype']}")
    return np.memmap(path, _DTYPES[entry["dtype"]], "r", start + entry["data_offsets"][0], tuple(entry["shape"]))


def native(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array in the byte order of this machine, the same one where it is; torch knows no other."""
    return array.astype(array.dtype.newbyteorder("="), copy=False)


@attrs.frozen(eq=False)
class Mapped(Dataset):
    """Points in a file, read a block at a time, for data larger than memory. They stay there on every device.

    Args:
        array: `(n, *event)`, floating point and finite, mapped.
        classes: int64 `(n,)`, or None.
    """

    array: np.ndarray[Any, Any]
    classes: Tensor | None = None

    def __attrs_post_init__(self) -> None:
        if self.array.dtype.kind != "f":
            raise OptionError(f"mapped data must be floating point: {self.array.dtype}")
        if self.array.ndim < 2 or len(self.array) == 0:
            raise ShapeError(f"data must have shape (n, *event) with n >= 1: {self.array.shape}")
        if self.classes is not None and self.classes.shape != (len(self.array),):
            raise ShapeError(f"labels must have shape ({len(self.array)},): {tuple(self.classes.shape)}")
        for start, block in self.blocks(max(1, _BLOCK // max(1, self.event_shape.numel()))):
            bad = (~torch.isfinite(block.flatten(1)).all(1)).nonzero()[:, 0]
            if len(bad):
                raise OptionError(f"data must be finite: point number {start + int(bad[0])} is not")

    @property
    def event_shape(self) -> torch.Size:
        return torch.Size(self.array.shape[1:])

    def __len__(self) -> int:
        return len(self.array)

    def read(self, start: int, stop: int) -> Tensor:
        with warnings.catch_warnings():  # nobody writes to the points; a map that may be written to needs the memory
            warnings.filterwarnings("ignore", "The given NumPy array is not writable")
            return torch.from_numpy(native(self.array[start:stop]))

    def take(self, index: Tensor) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(native(self.array[index.cpu().numpy()])))

    @property
    def labels(self) -> Tensor | None:
        return self.classes
