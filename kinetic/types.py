"""Shapes, named once. n = samples of a batch, m = those of them that still move, *event = shape of one sample."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

State = Tensor
"""`(m, *event)`: positions or velocities. Images are `(m, channel, height, width)` in [-1, 1]."""

PerSample = Tensor
"""`(m,)`: one number a sample."""

Rows = Tensor | slice
"""Which samples of a batch: int64 `(m,)`, or `slice(None)` for all of them."""

ALL = slice(None)


def is_all(rows: Rows) -> bool:
    """Whether rows are all of them, said without looking at a tensor."""
    return isinstance(rows, slice) and rows == ALL


Velocity = Callable[[State, PerSample, Rows], State]
"""`velocity(x, t, rows) -> v`, what a solver integrates: x, v `(m, *event)`, t `(m,)` float64."""
