"""The generalised covariance measure: whether two columns hang together beyond controls."""

from __future__ import annotations

import numpy as np

from kinetic.evidence._estimate import Array
from kinetic.evidence._strata import Strata


def generalised_covariance(left_x: Array, left_y: Array, strata: Strata) -> tuple[Array, Array]:
    """mean(r_x r_y)/se(r_x r_y) of each pair of residuals, and its two-sided p-value as of the normal: `(p, q)` both.

    NaN where the products are the same for all.

    Args:
        left_x, left_y: residuals `(p, n)` and `(q, n)`, of mean 0.
        strata: of the n samples.
    Source: Shah & Peters, The hardness of conditional independence testing and the generalised covariance measure,
        Annals of Statistics 48 (2020), equation 3.
    """
    from scipy.special import ndtr

    error = np.stack([strata.error(row * left_y) for row in left_x])
    measure: Array = (left_x @ left_y.T) / left_x.shape[1] / np.where(error > 0, error, np.nan)
    return measure, 2 * ndtr(-np.abs(measure))
