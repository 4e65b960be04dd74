"""The abstract data set, one that computes its points when it is made, and one that is given them."""

from __future__ import annotations

import abc
from collections.abc import Iterator
from typing import Any, final

import attrs
import torch
from torch import Tensor

from kinetic._roles.component import Component
from kinetic.errors import OptionError, ShapeError


@attrs.frozen(eq=False)
class Dataset(Component):
    """Reference or training data: n points, and perhaps a class each."""

    @property
    @abc.abstractmethod
    def event_shape(self) -> torch.Size:
        """Shape of one point."""

    @abc.abstractmethod
    def __len__(self) -> int:
        """n, at least 1."""

    @abc.abstractmethod
    def read(self, start: int, stop: int) -> Tensor:
        """Points start to stop (stop <= n) as `(stop - start, *event)`, floating point; images in [-1, 1]."""

    @property
    @abc.abstractmethod
    def labels(self) -> Tensor | None:
        """int64 `(n,)` class of each point, or None."""

    def take(self, index: Tensor) -> Tensor:
        """The points of `index`, int64 `(m,)`, as `(m, *event)`. Override it where there is a faster way."""
        return torch.cat([self.read(i, i + 1) for i in index.tolist()] or [self.read(0, 1)[:0]])

    def blocks(self, size: int) -> Iterator[tuple[int, Tensor]]:
        """All points in order, `size` at a time, each block with the index of its first point."""
        for start in range(0, len(self), size):
            yield start, self.read(start, min(start + size, len(self)))


@attrs.frozen(eq=False)
class DataInMemory(Dataset):
    """Data of which all points are in memory: a subclass says how they are computed, once, when it is made."""

    _x: Tensor = attrs.field(init=False, repr=False)
    _labels: Tensor | None = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        x, labels = self.points()
        object.__setattr__(self, "_x", x)
        object.__setattr__(self, "_labels", labels)

    @abc.abstractmethod
    def points(self) -> tuple[Tensor, Tensor | None]:
        """All points, `(n, *event)`, and the class of each, int64 `(n,)`, or None."""

    @property
    def event_shape(self) -> torch.Size:
        return self._x.shape[1:]

    def __len__(self) -> int:
        return len(self._x)

    def read(self, start: int, stop: int) -> Tensor:
        return self._x[start:stop]

    def take(self, index: Tensor) -> Tensor:
        return self._x[index.to(self._x.device)]

    @property
    def labels(self) -> Tensor | None:
        return self._labels


@final
@attrs.frozen(eq=False)
class TensorData(Dataset):
    """Data held in memory.

    Args:
        x: `(n, *event)`, floating point, finite, n >= 1.
        labels: int64 `(n,)`, or None.
    """

    x: Tensor = attrs.field()
    labels: Tensor | None = None

    @x.validator
    def _points(self, attribute: attrs.Attribute[Tensor], x: Any) -> None:
        if not isinstance(x, Tensor) or not x.is_floating_point():
            raise OptionError(f"'x' must be a floating-point tensor: {getattr(x, 'dtype', x)!r}")
        if x.dim() < 2 or len(x) == 0:
            raise ShapeError(f"data must have shape (n, *event) with n >= 1: {tuple(x.shape)}")
        if not bool(torch.isfinite(x.sum())) and not bool(torch.isfinite(x).all()):  # a finite sum is quick to see
            bad = (~torch.isfinite(x.flatten(1)).all(1)).nonzero().flatten()
            raise OptionError(f"data must be finite: {len(bad)} point(s) are not, the first is number {int(bad[0])}")

    def __attrs_post_init__(self) -> None:
        if self.labels is not None and self.labels.shape != self.x.shape[:1]:
            raise ShapeError(f"labels must have shape ({len(self.x)},): {tuple(self.labels.shape)}")

    @property
    def event_shape(self) -> torch.Size:
        return self.x.shape[1:]

    def __len__(self) -> int:
        return len(self.x)

    def read(self, start: int, stop: int) -> Tensor:
        return self.x[start:stop]

    def take(self, index: Tensor) -> Tensor:
        return self.x[index.to(self.x.device)]


def as_dataset(value: Any) -> Any:
    """A tensor as the data set it holds; anything else unchanged. The converter of options that take either."""
    return TensorData(value) if isinstance(value, Tensor) else value
