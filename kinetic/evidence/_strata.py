"""Strata: classes that sample ids fix, of which every draw of samples has the same number."""

from __future__ import annotations

from typing import final

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinetic.errors import OptionError
from kinetic.evidence._estimate import Array

Codes = NDArray[np.int64]


@final
@attrs.frozen(eq=False)
class Strata:
    """Which stratum each of n samples is of; see `of`.

    Args:
        codes: `(n,)`, 0 to H - 1.
        order: `(n,)`, the samples stratum by stratum.
        starts: `(H,)`, where each stratum begins in `order`.
        counts: `(H,)`, how many samples each has.
    """

    codes: Codes
    order: Codes
    starts: Codes
    counts: Codes

    @classmethod
    def of(cls, labels: ArrayLike | None, n: int) -> Strata:
        """The strata of the labels `(n,)`; one stratum without labels.

        Strata of one sample say nothing of their spread: they are put together, a single one with the smallest other.
        """
        given = np.zeros(n, np.int64) if labels is None else np.asarray(labels)
        if given.shape != (n,):
            raise OptionError(f"'strata' must be a label for each of the {n} samples, ({n},): {given.shape}")
        _, codes, counts = np.unique(given, return_inverse=True, return_counts=True)
        if (counts == 1).any() and len(counts) > 1:
            lonely = counts == 1
            if lonely.sum() == 1:
                lonely[np.argmin(np.where(lonely, n, counts))] = True
            _, codes, counts = np.unique(np.where(lonely[codes], -1, codes), return_inverse=True, return_counts=True)
        return cls(codes, np.argsort(codes, kind="stable"), np.concatenate([[0], counts.cumsum()[:-1]]), counts)

    def sums(self, columns: Array) -> Array:
        """Sums over each stratum, `(..., n)` to `(..., H)`."""
        in_order = columns if len(self.counts) == 1 else columns[..., self.order]
        return np.add.reduceat(in_order, self.starts, axis=-1)

    def within(self, columns: Array) -> Array:
        """Columns `(..., n)` of the same means whose sample variance / n is the variance of a stratified mean.

        Each becomes mean + (x - mean_h) sqrt(n_h/(n_h - 1)) sqrt((n - 1)/n), h the stratum: then
        sum (y - mean)^2/(n - 1)/n = sum_h n_h s_h^2/n^2. What holds for independent columns, the bootstrap too, holds
        for stratified ones after this.

        Source: Cochran, Sampling Techniques (1977), section 5.4.
        """
        n, counts = len(self.codes), self.counts
        if len(counts) == 1:
            return columns
        means = self.sums(columns) / counts
        scale = np.sqrt(counts / (counts - 1) * (n - 1) / n)
        return columns.mean(-1, keepdims=True) + (columns - means[..., self.codes]) * scale[self.codes]

    def error(self, influence: Array) -> Array:
        """The standard error `(...)` of a mean of the influence values `(..., n)`, the strata's numbers fixed."""
        n = len(self.codes)
        error: Array = self.within(influence).std(axis=-1, ddof=1) / np.sqrt(n)
        return error

    @property
    def dof(self) -> int:
        """Degrees of freedom of that error: n - H."""
        return len(self.codes) - len(self.counts)
