"""Samples in ascending order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kinetic.evidence._estimate import Array
from kinetic.evidence._strata import Codes


def ascending(columns: Array) -> tuple[Codes, NDArray[np.bool_]]:
    """The samples of each column in ascending order, equal ones by their number, and which begin a new value.

    It is what a stable sort gives. An unstable one, which processors do several at a time, is several times as fast;
    equal values are then put by their number, the order of runs * n + number of whole numbers.

    Args:
        columns: `(p, n)`, finite.
    Returns:
        The order `(p, n)`, and in that order where a value is larger than the one before: `(p, n)`, the first of each
        column true.
    """
    order = np.argsort(columns, axis=1)
    ordered = np.take_along_axis(columns, order, 1)
    new = np.ones(columns.shape, bool)
    np.not_equal(ordered[:, 1:], ordered[:, :-1], out=new[:, 1:])
    tied = np.flatnonzero(~new.all(1))
    runs = np.cumsum(new[tied], axis=1) * columns.shape[1]
    order[tied] = np.sort(runs + order[tied], axis=1) - runs
    return order, new
