"""The abstract feature space, one that stands for another, and blocks of rows for its network."""

from __future__ import annotations

import abc
from collections.abc import Callable

import attrs
import torch
from torch import Tensor

from kinetic._roles.component import Component
from kinetic.types import State

BLOCK = 16
"""Rows that a network is asked for at a time."""


@attrs.frozen(eq=False)
class FeatureSpace(Component):
    """Samples to vectors, in which distances mean something."""

    @abc.abstractmethod
    def features(self, x: State) -> Tensor:
        """`(m, *event)` samples, images in [-1, 1], to `(m, f)` floating-point vectors, each from its sample alone."""

    @property
    def preprocessing(self) -> str:
        """What is done to samples before the network sees them, with every number, as in "images resized to 8 x 8".

        Scores repeat it and kept features are found by it. Empty where a space does not say.
        """
        return ""


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
    found = []
    for rows in x.split(BLOCK):
        filling = rows[-1:].expand(BLOCK - len(rows), *rows.shape[1:]) if len(rows) else rows
        found.append(net(torch.cat([rows, filling]).contiguous())[: len(rows)])
    return torch.cat(found)


def wrap(space: FeatureSpace, find: Callable[[FeatureSpace, State], Tensor]) -> FeatureSpace:
    """The same space, whose features are `find(space, x)`."""

    @attrs.frozen(eq=False)
    class Wrapped(FeatureSpace):
        """A feature space that stands for another."""

        wraps: FeatureSpace

        @property
        def preprocessing(self) -> str:
            return self.wraps.preprocessing

        def features(self, x: State) -> Tensor:
            return find(self.wraps, x)

    Wrapped.__name__ = type(space).__name__  # metrics say in their notes which space they looked in
    return Wrapped(space)
