"""A tensor in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, final

import attrs
import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from kinetic import Dataset, TensorData, options
from kinetic.errors import KineticError, OptionError, unknown
from kinetic_data.mapped import Mapped, open_array


@final
@attrs.frozen(eq=False)
class TensorFile(Dataset):
    """Points from a `.npy`, `.npz` or `.safetensors` file, shape `(n, *event)`, floating point; images in [-1, 1].

    No pickle is loaded. The tensor is held in memory, or left in its file with `mapped`, for data larger than memory:
    it is then read a block at a time by whoever asks, and stays there when the run is on a GPU. Every point is looked
    at once, to be finite.

    Args:
        path: of the file, or `package:NAME/REST`.
        key: name of the tensor in a `.npz` or `.safetensors` file.
        labels: name of an integer tensor `(n,)` beside it, the class of each point; or nothing.
        mapped: whether to leave a `.npy` or `.safetensors` tensor in its file.
    """

    path: str = options.text(doc="a .npy, .npz or .safetensors file")
    key: str = options.text("x", doc="name of the tensor in a .npz or .safetensors file")
    labels_key: str | None = attrs.field(
        default=None, alias="labels", metadata={options.BOUND: "name of an integer tensor in the same file, or nothing"}
    )
    mapped: bool = options.flag(default=False, doc="leave the tensor in its file, read by blocks")
    _data: Dataset = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        path = options.existing_path(self.path, what="data", remedy="Paths are relative to where kinetic is started.")
        if self.mapped:
            object.__setattr__(self, "_data", self._mapped(path))
            return
        try:
            tensors = self._tensors(str(path))
        except (ValueError, OSError, EOFError, TypeError, SafetensorError) as error:
            raise OptionError(f"'path' cannot be read as a .npy, .npz or .safetensors file: {path}: {error}") from error
        labels = None
        for name in (self.key, self.labels_key):
            if name is not None and name not in tensors:
                raise unknown(f"{path} holds no tensor named", name, tensors, "Say which it is with `key`.")
        if self.labels_key is not None:
            labels = self._whole(tensors[self.labels_key])
        if tensors[self.key].dtype == torch.uint8:
            raise OptionError(
                f"{path}: {self.key!r} must be a floating-point tensor: torch.uint8\n"
                "  Bytes of images become x / 127.5 - 1, float32, of shape (n, channels, height, width)."
            )
        object.__setattr__(self, "_data", TensorData(tensors[self.key], labels))

    def _mapped(self, path: Path) -> Dataset:
        if self.labels_key is not None and path.suffix == ".npy":
            raise unknown(f"{path} holds no tensor named", self.labels_key, [self.key])
        try:
            named = self.labels_key
            labels = None if named is None else self._whole(torch.tensor(open_array(path, named)))
            return Mapped(open_array(path, self.key), labels)
        except (ValueError, OSError, TypeError, KeyError, OverflowError, EOFError) as error:
            if isinstance(error, KineticError):
                raise
            raise OptionError(f"'path' cannot be mapped as a .npy or .safetensors file: {path}: {error}") from error

    def _whole(self, labels: Tensor) -> Tensor:
        if labels.is_floating_point():
            raise OptionError(f"'labels' must name a tensor of integers: {self.labels_key!r} is {labels.dtype}")
        return labels.long()

    def _tensors(self, path: str) -> dict[str, Tensor]:
        if path.endswith(".safetensors"):
            return load_file(path)
        loaded: Any = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {self.key: torch.from_numpy(loaded)}
        with loaded:
            return {name: torch.from_numpy(loaded[name]) for name in loaded.files}

    @property
    def event_shape(self) -> torch.Size:
        return self._data.event_shape

    def __len__(self) -> int:
        return len(self._data)

    def read(self, start: int, stop: int) -> Tensor:
        return self._data.read(start, stop)

    def take(self, index: Tensor) -> Tensor:
        return self._data.take(index)

    @property
    def labels(self) -> Tensor | None:
        return self._data.labels
