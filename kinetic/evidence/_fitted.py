"""What fitted coefficients add to the error of a rank correlation of residuals."""

from __future__ import annotations

from typing import final

import attrs
import numpy as np

from kinetic.evidence._estimate import Array
from kinetic.evidence._ranked import standard_ranks


@final
@attrs.frozen(eq=False)
class Coefficients:
    """How rho hangs on the coefficients that residuals were made with; see `of`.

    Where noise grows with a regressor, a coefficient that is a little off moves rho, and its own error is part of the
    error of rho: sum_k d rho/d b_k z_k r with the regressors z_k, and z_k r the influence function of b_k.

    Args:
        x, y: residuals `(p, n)` and `(q, n)`, of variance 1.
        fitted: `(c, n)`.
        of_x, of_y: `(c, p, q)`, the derivatives of rho by the coefficients of x and of y.
    """

    x: Array
    y: Array
    fitted: Array
    of_x: Array
    of_y: Array

    @classmethod
    def of(cls, x: Array, y: Array, fitted: Array) -> Coefficients:
        """By central differences at n^(-1/5)/2 standard deviations of the residuals."""
        x, y = (rows / np.maximum(rows.std(1, keepdims=True), 1e-300) for rows in (x, y))
        ranks_x, ranks_y = standard_ranks(x), standard_ranks(y)
        of_x = np.stack([_moved(x, row) @ ranks_y.T for row in fitted]) / x.shape[1]
        of_y = np.stack([ranks_x @ _moved(y, row).T for row in fitted]) / x.shape[1]
        return cls(x, y, fitted, of_x, of_y)

    def influence(self, i: int, block: slice) -> Array:
        """What they add to the influence function of rho of column i with some columns: `(q, n)`."""
        mine = (self.of_x[:, i, block].T @ self.fitted) * self.x[i]
        theirs: Array = (self.of_y[:, i, block].T @ self.fitted) * self.y[block]
        return mine + theirs


def _moved(rows: Array, regressor: Array) -> Array:
    """By how much the standard ranks of residuals move for one unit of the regressor taken off."""
    step = rows.shape[1] ** -0.2 / 2
    ahead, back = (standard_ranks(rows - sign * step * regressor) for sign in (1, -1))
    moved: Array = (ahead - back) / (2 * step)
    return moved
