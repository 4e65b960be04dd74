"""The abstract feature space, one that stands for another, and blocks of rows for its network."""

from __future__ import annotations

import abc
from collections.abc import Callable

import attrs
import torch
from torch import Tensor

from kinetic._roles.component import Component
from kinetic._roles.dataset import Dataset
from kinetic._roles.tree import device_of
from kinetic.errors import OptionError, ShapeError
from kinetic.types import State

BLOCK = 16
"""Rows that a network is asked for at a time."""

_POINTS = 256  # of a data set through the space at a time
_LARGEST = 1e15  # of a feature: its square is a float32 still, and its sixth power a float64


@attrs.frozen(eq=False)
class FeatureSpace(Component):
    """Samples to vectors, in which distances mean something."""

    @abc.abstractmethod
    def features(self, x: State) -> Tensor:
        """`(m, *event)` samples, images in [-1, 1], to `(m, f)` floating-point vectors, each from its sample alone."""

    @property
    def preprocessing(self) -> str:
        """What is done to samples before the network sees them, with every number, as in "images resized to 8 x 8".

        Scores repeat it and features are kept under it. Empty where a space does not say.
        """
        return ""

    def table(self, data: Dataset) -> Tensor:
        """Features `(n, f)` of all points of a data set, on the CPU, checked as by `embed`."""
        device = device_of(self) or torch.device("cpu")
        return torch.cat([embed(self, block.to(device)).cpu() for _, block in data.blocks(_POINTS)])


def embed(space: FeatureSpace, x: State) -> Tensor:
    """Features `(m, f)` of points `(m, *event)`.

    Raises:
        ShapeError: the space gives no table of m rows.
        OptionError: some features are NaN, infinite or above 1e15, where squares and products begin to overflow.
    """
    features = space.features(x)
    name = type(space).__name__
    if features.dim() != 2 or len(features) != len(x):
        raise ShapeError(f"{name} must give ({len(x)}, f) features of {len(x)} points: {tuple(features.shape)}")
    if not bool(torch.isfinite(features).all()):
        raise OptionError(f"{name} features must be finite: some are NaN or infinite")
    largest = float(features.detach().abs().max()) if features.numel() else 0.0
    if largest > _LARGEST:
        raise OptionError(f"{name} features must be at most {_LARGEST:g} in size: {largest:g}")
    return features


def in_blocks(net: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """`net(x)`, asked for `BLOCK` rows at a time; the last block is filled up with its last row, and cut again.

    Networks take other kernels for other numbers of rows, which round differently. Asked for the same number always,
    they give a row the same features in whatever batch it comes.

    Args:
        net: `(16, ...)` to `(16, f)`, each row from its own alone.
        x: `(m, ...)`.
    Returns:
        `(m, f)`.
    """
    blocks = []
    for rows in x.split(BLOCK):
        filling = rows[-1:].expand(BLOCK - len(rows), *rows.shape[1:]) if len(rows) else rows
        blocks.append(net(torch.cat([rows, filling]).contiguous())[: len(rows)])
    return torch.cat(blocks)


def wrap(
    space: FeatureSpace,
    find: Callable[[FeatureSpace, State], Tensor],
    table: Callable[[FeatureSpace, Dataset], Tensor] | None = None,
) -> FeatureSpace:
    """The same space, whose features are `find(space, x)`, and those of a data set `table(space, data)` where given."""

    @attrs.frozen(eq=False)
    class Wrapped(FeatureSpace):
        """A feature space that stands for another.

        Args:
            wraps: the other.
        """

        wraps: FeatureSpace

        @property
        def preprocessing(self) -> str:
            return self.wraps.preprocessing

        def features(self, x: State) -> Tensor:
            return find(self.wraps, x)

        def table(self, data: Dataset) -> Tensor:
            return FeatureSpace.table(self, data) if table is None else table(self.wraps, data)

    Wrapped.__name__ = type(space).__name__  # metrics say in their notes which space they looked in
    return Wrapped(space)
