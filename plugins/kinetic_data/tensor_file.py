"""A tensor in a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, final

import attrs
import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from kinetic import Dataset, TensorData, options
from kinetic.errors import KineticError, OptionError, unknown
from kinetic_data.byte_images import ByteImages
from kinetic_data.mapped import Mapped, native, open_array, tensor_names

_STATISTICS = {"mu", "sigma"}  # of features; guided-diffusion keeps those of a second space beside them
_SPATIAL = {"mu_s", "sigma_s"}
_POINTS = ("x", "arr_0")  # what points are called where nobody says; the second by NumPy, where nobody named them


@final
@attrs.frozen(eq=False)
class TensorFile(Dataset):
    """Points from a `.npy`, `.npz` or `.safetensors` file, shape `(n, *event)`, floating point; images in [-1, 1].

    Bytes are taken for images, as in the `.npz` files of guided-diffusion: byte b as b / 127.5 - 1, and channels put
    first where the shape leaves no doubt; a note says so. Its reference batches hold statistics beside the images,
    which are left aside.

    No pickle is loaded. The tensor is held in memory, or left in its file with `mapped`, for data larger than memory:
    it is then read a block at a time by whoever asks, and stays there when the run is on a GPU. Every point is looked
    at once, to be finite.

    Args:
        path: of the file, or `package:NAME/REST`.
        key: name of the tensor in a `.npz` or `.safetensors` file; without it the only one beside `labels`, or `x`,
            or `arr_0`.
        labels: name of an integer tensor `(n,)` beside it, the class of each point; or nothing.
        mapped: whether to leave a `.npy` or `.safetensors` tensor in its file.
    """

    path: str = options.text(doc="a .npy, .npz or .safetensors file")
    key: str | None = options.text(None, doc="name of the tensor; nothing: the only one, or 'x', or 'arr_0'")
    labels_key: str | None = options.text(None, alias="labels", doc="name of an integer tensor in the same file")
    mapped: bool = options.flag(default=False, doc="leave the tensor in its file, read by blocks")
    _data: Dataset = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        path = options.existing_file(self.path, what="data", remedy="Paths are relative to where kinetic is started.")
        verb = "mapped" if self.mapped else "read"
        try:
            data = self._mapped(path) if self.mapped else self._loaded(path)
        except KineticError:
            raise
        except Exception as error:  # at what is no such file NumPy and the zip below it raise almost anything
            cause = f"{type(error).__name__}: {error}"
            raise OptionError(
                f"'path' cannot be {verb} as a .npy, .npz or .safetensors file: {path}: {cause}"
            ) from error
        object.__setattr__(self, "_data", data)

    def _loaded(self, path: Path) -> Dataset:
        if options.suffix(path) == ".safetensors":
            with safe_open(path, "pt") as file:
                return self._held(path, list(file.keys()), file.get_tensor)
        with path.open("rb") as file:  # which NumPy leaves open where it is no zip
            loaded: Any = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return self._held(path, ["x"], lambda name: torch.from_numpy(native(loaded)))
            with loaded:
                return self._held(path, loaded.files, lambda name: torch.from_numpy(native(loaded[name])))

    def _held(self, path: Path, names: Sequence[str], tensor: Callable[[str], Tensor]) -> Dataset:
        key = self._key(path, names)
        x, labels = tensor(key), None if self.labels_key is None else self._whole(tensor(self.labels_key))
        if x.dtype == torch.uint8:
            return ByteImages(x, labels)
        if not x.is_floating_point():
            raise _no_points(path, key, x.dtype)
        return TensorData(x, labels)

    def _mapped(self, path: Path) -> Dataset:
        names = tensor_names(path)
        key = self._key(path, names)
        labels = None if self.labels_key is None else self._whole(torch.tensor(open_array(path, self.labels_key)))
        array = open_array(path, key)
        if array.dtype == np.uint8:
            return ByteImages(array, labels)
        if array.dtype.kind != "f":
            raise _no_points(path, key, array.dtype)
        return Mapped(array, labels)

    def _key(self, path: Path, names: Sequence[str]) -> str:
        """The name of the points among those of a file's tensors."""
        if self.labels_key is not None and self.labels_key not in names:
            raise unknown(f"{path} holds no tensor named", self.labels_key, names, "The option `labels` asks for it.")
        beside = {self.labels_key} | (_STATISTICS | _SPATIAL if {*names} >= _STATISTICS else set())
        others = [name for name in names if name not in beside]
        if {*names} >= _STATISTICS and not others and self.key not in names:
            raise OptionError(
                f"{path} holds statistics, 'mu' and 'sigma', and no points\n"
                "  They stand in for the reference of `frechet`: --set metrics.frechet.statistics=PATH, no --reference."
            )
        unnamed = self.key is None or options.suffix(path) == ".npy"  # where no tensor has a name
        usual = others if len(others) == 1 else [name for name in _POINTS if name in others]
        key = usual[0] if unnamed and usual else self.key or _POINTS[0]
        if key not in names:
            way = "Say which it is with `key`: in a recipe, or as in --set samples.key=NAME."
            raise unknown(f"{path} holds no tensor named", key, names, way)
        return key

    def _whole(self, labels: Tensor) -> Tensor:
        if labels.is_floating_point():
            raise OptionError(f"'labels' must name a tensor of integers: {self.labels_key!r} is {labels.dtype}")
        return labels.long()

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

    @property
    def notes(self) -> tuple[str, ...]:
        """How bytes are read, where it holds bytes."""
        return getattr(self._data, "notes", ())


def _no_points(path: Path, key: str, dtype: object) -> OptionError:
    return OptionError(f"{path}: {key!r} must be floating point, or bytes of images (uint8): {dtype}")
