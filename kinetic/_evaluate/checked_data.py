"""Data that are scored or compared with, looked at as they are read."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from typing import Any, final

import attrs
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kinetic._roles.dataset import Dataset
from kinetic._roles.metric import Metric
from kinetic._roles.tree import options_given, rebuild
from kinetic.errors import OptionError

_FIRST = 16  # points that are looked at before anything is computed
_BLOCK = 2**22  # elements at a time, when all are looked at
_ROUNDING = 1e-4  # what an image may lie outside [-1, 1]


class Looked:
    """How far a data set was looked at, the least value of its images so far, and the digests of its points."""

    def __init__(self) -> None:
        self.stop = 0
        self.lowest: float | None = None
        self.files = False
        self.digests: list[NDArray[np.uint64]] = []


@final
@attrs.frozen(eq=False)
class Checked(Dataset):
    """A data set whose every point is looked at when it is first read: finite, and images in [-1, 1].

    Images are points of three dimensions, of which the first or the last is 1 or 3.

    Args:
        what: it is called in errors and notes.
        data: the data set.
        on_progress: called with how many points were read.
    """

    what: str
    data: Dataset
    on_progress: Callable[[float], None] = lambda done: None
    _looked: Looked = attrs.field(factory=Looked, repr=False)

    @property
    def wraps(self) -> Dataset:
        """The data set it stands for."""
        return self.data

    @property
    def event_shape(self) -> torch.Size:
        return self.data.event_shape

    def __len__(self) -> int:
        return len(self.data)

    @property
    def labels(self) -> Tensor | None:
        return self.data.labels

    def read(self, start: int, stop: int) -> Tensor:
        x, before = self.data.read(start, stop), self._looked.stop
        if start <= before < stop:
            self._look(x[before - start :], range(before, stop))
            self._looked.digests.append(digests(x[before - start :]))
            self._looked.stop = stop
        elif start > before:
            self._look(x, range(start, stop))
        self.on_progress(len(x))
        return x

    def take(self, index: Tensor) -> Tensor:
        x = self.data.take(index)
        if self._looked.stop < len(self):
            self._look(x, index.tolist())
        return x

    def first(self) -> None:
        """Look at a few points."""
        self.read(0, min(_FIRST, len(self)))

    def whole(self) -> None:
        """Look at all points that were not looked at yet, by `check` where the data set has one: it reads files."""
        check = getattr(self.data, "check", None)
        if check is not None and not self._looked.files:
            check()
            self._looked.files = True
        elif check is None:
            size = self._block
            for start in range(self._looked.stop, len(self), size):
                self.read(start, min(start + size, len(self)))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the data set says, and a warning where images seem to be in [0, 1]."""
        notes, lowest = notes_of(self.data), self._looked.lowest
        if lowest is None or lowest < 0:
            return notes
        return (*notes, f"No value of the {self.what} is below 0. If they are images in [0, 1], give 2 x - 1 instead.")

    def shared(self, digests: NDArray[np.uint64]) -> int:
        """How many of the samples with these `digests` are equal to a point that was looked at."""
        return int(np.isin(digests, np.concatenate(self._looked.digests)).sum()) if self._looked.digests else 0

    @property
    def content(self) -> str | None:
        """SHA-256 of the digests of all points in order, as float32; None where not all of them were read."""
        if self._looked.stop < len(self):
            return None
        return hashlib.sha256(np.concatenate(self._looked.digests).tobytes()).hexdigest()

    @property
    def _images(self) -> bool:
        return len(self.event_shape) == 3 and (self.event_shape[0] in (1, 3) or self.event_shape[2] in (1, 3))

    @property
    def _block(self) -> int:
        return max(1, _BLOCK // max(1, self.event_shape.numel()))

    def _look(self, x: Tensor, numbers: Sequence[int]) -> None:
        if x.numel() == 0:
            return
        low, high = (float(bound) for bound in x.aminmax())  # NaN where any value is
        if not (math.isfinite(low) and math.isfinite(high)):
            bad = (~torch.isfinite(x.flatten(1)).all(1)).nonzero()
            raise OptionError(f"{self.what} must be finite: number {numbers[int(bad[0])]} holds NaN or infinity")
        if not self._images:
            return
        if low < -1 - _ROUNDING or high > 1 + _ROUNDING:
            raise OptionError(self._out_of_range())
        lowest = self._looked.lowest
        self._looked.lowest = low if lowest is None else min(low, lowest)

    def _out_of_range(self) -> str:
        bounds = torch.stack([torch.stack(block.aminmax()) for _, block in self.data.blocks(self._block)]).double()
        low, high = float(bounds[:, 0].min()), float(bounds[:, 1].max())
        if low >= 0 and high > 2:
            way = "For bytes 0 to 255 give x / 127.5 - 1."
        else:
            way = "Clip them, x.clip(-1, 1), as saving them as images would; or scale them, if that is what they need."
        return f"{self.what} that are images must be in [-1, 1]: they range from {low:.6g} to {high:.6g}\n  {way}"


def digests(x: Tensor) -> NDArray[np.uint64]:
    """64 bits of the BLAKE2 hash of each point `(m, *event)` in float32, `(m,)`: equal points have equal ones.

    That two others of 50,000 and 50,000 have is as likely as 1 in 7 billion.
    """
    rows = (x.detach().float() + 0.0).cpu().contiguous().flatten(1).numpy()  # -0.0 + 0.0 is 0.0
    hashes = [hashlib.blake2b(row, digest_size=8).digest() for row in rows]
    return np.frombuffer(b"".join(hashes), np.uint64)


def checked(what: str, data: Dataset, on_progress: Callable[[float], None] = lambda done: None) -> Checked:
    """The data set, looked at as it is read.

    Args:
        what: it is called in errors and notes.
        data: the data set.
        on_progress: called with how many points were read.
    """
    return data if isinstance(data, Checked) else Checked(what, data, on_progress)


def with_checked_data(metric: Metric, looked: dict[int, tuple[Dataset, Looked]]) -> Metric:
    """The same metric, whose data sets are looked at as they are read.

    Args:
        metric: the metric.
        looked: how far each data set was looked at, `{id: (data set, how far)}`; one that several metrics share is
            looked at once.
    """
    parts = {}
    for option, data in datasets(metric).items():
        if not isinstance(data, Checked):
            _, how_far = looked.setdefault(id(data), (data, Looked()))  # kept, lest another one take its id
            parts[id(data)] = Checked(f"points of {option!r}", data, looked=how_far)
    return rebuild(metric, lambda each: parts.get(id(each), each)) if parts else metric


def datasets(metric: Metric) -> dict[str, Any]:
    """The data sets among a metric's options, by the option's name."""
    return {name: value for name, value in options_given(metric).items() if isinstance(value, Dataset)}


def notes_of(data: Dataset) -> tuple[str, ...]:
    """What a data set says of itself, such as the files it left out."""
    return tuple(getattr(data, "notes", ()))
