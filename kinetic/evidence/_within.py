"""Correlations within classes, put together."""

from __future__ import annotations

import numpy as np

from kinetic.evidence._estimate import Array
from kinetic.evidence._ranks import rank_correlations_in_each
from kinetic.evidence._strata import Strata

LEAST = 10
"""Samples below which a class has no part in it."""

_EDGE = 1 - 1e-9  # of a class in which one column is a function of the other


def within_strata(x: Array, y: Array, strata: Strata) -> tuple[Array, Array, Array, Array]:
    """The fixed-effect mean of atanh rho over strata, its standard error, and whether they agree: `(p, q)` each.

    With z_h = atanh rho_h of the n_h samples of stratum h and w_h = n_h - 3: mean = sum w z/sum w, se^2 = sum w^2 v/
    (sum w)^2 with v_h of the influence function, Q = sum w (z - mean)^2/(1 + tanh(mean)^2/2), which of H strata that
    agree is chi^2 of H - 1. Strata of fewer than 10 samples, or in which a column is constant, have no part in it.

    Args:
        x, y: `(p, n)` and `(q, n)`.
        strata: of the n samples.
    Returns:
        The mean and its standard error on the Fisher scale, Q and its p-value; NaN where there are fewer than two.
    Source: Hedges & Olkin, Statistical Methods for Meta-Analysis (1985), chapter 11; the variance in Q of Bonett &
        Wright, Psychometrika 65 (2000).
    """
    from scipy.special import chdtrc

    used = np.flatnonzero(strata.counts >= LEAST)
    if len(used) < 2:
        nothing = np.full((len(x), len(y)), np.nan)
        return nothing, nothing, nothing, nothing
    counts = strata.counts[used]
    rho, error = np.empty((2, len(used), len(x), len(y)))
    for count in np.unique(counts):
        these = counts == count
        parts = strata.order[strata.starts[used[these], None] + np.arange(count)]
        rho[these], error[these] = rank_correlations_in_each(*(each[:, parts].swapaxes(0, 1) for each in (x, y)))
    there = np.isfinite(rho)
    rho = np.where(there, rho, 0.0).clip(-_EDGE, _EDGE)
    z, variance = np.arctanh(rho), np.square(np.where(there, error, 0.0) / (1 - rho**2))
    weight = there * (counts - 3.0)[:, None, None]
    count = there.sum(0)
    total = np.where(count >= 2, weight.sum(0), np.nan)
    mean = (weight * z).sum(0) / total
    error = np.sqrt((weight**2 * variance).sum(0)) / total
    q = (weight * np.square(z - mean)).sum(0) / (1 + np.tanh(mean) ** 2 / 2)
    return mean, error, q, np.where(count >= 2, chdtrc(np.maximum(count - 1, 1), np.nan_to_num(q)), np.nan)
