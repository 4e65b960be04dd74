"""Columns by rank."""

from __future__ import annotations

from typing import final

import attrs
import numpy as np

from kinetic.evidence._estimate import Array
from kinetic.evidence._order import ascending
from kinetic.evidence._strata import Codes

BLOCK = 2**17
"""Numbers worked on at a time, which a cache holds."""


@final
@attrs.frozen(eq=False)
class Ranked:
    """Columns `(..., n)` by rank.

    Args:
        order: `(..., n)`, the samples in ascending order.
        below: `(..., n)`, for each sample how many are smaller.
        upto: `(..., n)`, for each sample how many are smaller or equal.
    """

    order: Codes
    below: Codes
    upto: Codes

    @classmethod
    def of(cls, columns: Array) -> Ranked:
        """Sorts each column once."""
        rows = columns.reshape(-1, columns.shape[-1])
        order, new = ascending(rows)
        p, n = rows.shape
        index = np.broadcast_to(np.arange(n), (p, n))
        first = np.maximum.accumulate(np.where(new, index, 0), 1)
        last = np.ones((p, n), bool)
        last[:, :-1] = new[:, 1:]
        after = np.minimum.accumulate(np.where(last, index + 1, n)[:, ::-1], 1)[:, ::-1]
        below, upto = np.empty_like(order), np.empty_like(order)
        np.put_along_axis(below, order, first, 1)
        np.put_along_axis(upto, order, after, 1)
        return cls(*(each.reshape(columns.shape) for each in (order, below, upto)))

    def rows(self, which: slice) -> Ranked:
        """Some of the columns."""
        return Ranked(*(each[..., which, :] for each in (self.order, self.below, self.upto)))

    @property
    def shares(self) -> Array:
        """`(..., n)`, the share of samples that are smaller, half of the equal ones with it; the mean is 1/2."""
        shares: Array = (self.below + self.upto) / (2 * self.order.shape[-1])
        return shares

    @property
    def standard(self) -> Array:
        """The shares at mean 0 and variance 1; 0 where a column is constant."""
        deviation = np.sqrt(self.spread[0])
        standard: Array = (self.shares - 0.5) / np.where(deviation > 0, deviation, 1.0)
        return standard

    @property
    def spread(self) -> tuple[Array, Array]:
        """The variance `(..., 1)` of the shares, (1 - sum p_k^3)/12 over values k, and its influence function."""
        n = self.order.shape[-1]
        equal = np.square((self.upto - self.below) / n)
        mean = equal.mean(-1, keepdims=True)
        return (1 - mean) / 12, (mean - equal) / 4


def standard_ranks(columns: Array) -> Array:
    """`Ranked.standard` of columns `(p, n)`, some at a time."""
    size = max(1, BLOCK // columns.shape[1])
    return np.concatenate([Ranked.of(columns[i : i + size]).standard for i in range(0, len(columns), size)])
