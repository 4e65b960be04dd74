"""Rank correlations of many columns with many, with the standard errors of their influence functions."""

from __future__ import annotations

import numpy as np

from kinetic.evidence._estimate import Array, Estimate, quantile
from kinetic.evidence._fitted import Coefficients
from kinetic.evidence._ranked import BLOCK, Ranked
from kinetic.evidence._strata import Codes, Strata

_EXACT = 1 - 1e-12  # above, one column is a function of the other


def rank_correlations(x: Array, y: Array, strata: Strata, fitted: Array | None = None) -> tuple[Array, Array]:
    """Spearman's rho of each column `(p, n)` with each `(q, n)`, and its standard error: `(p, q)` both.

    With F and G the shares of smaller samples, half of the equal ones with them, rho = (E[F G] - 1/4)/sqrt(var F
    var G). The influence function of E[F G] at sample i is F_i G_i + E[G 1{X > x_i}] + E[F 1{Y > y_i}] (ties count
    half), less its mean; the tie terms of the variances are in it too. NaN where a column is constant.

    Args:
        x, y: the columns.
        strata: of the n samples.
        fitted: `(c, n)`, regressors that x and y are residuals of, each of variance 1 and uncorrelated. Then the
            influence function has that of their coefficients in it; see `Coefficients`.
    Source: Borkowf, Computing the nonnull asymptotic variance and the asymptotic relative efficiency of Spearman's
        rank correlation, Computational Statistics & Data Analysis 39 (2002).
    """
    one, other = Ranked.of(x), Ranked.of(y)
    rho, error = np.full((2, len(x), len(y)), np.nan)
    size = max(1, BLOCK // x.shape[1])
    coefficients = None if fitted is None else Coefficients.of(x, y, fitted)
    for i in np.flatnonzero(one.spread[0][:, 0] > 0):
        for start in range(0, len(y), size):
            block = slice(start, start + size)
            rho[i, block], influence = _with_each(one.rows(slice(i, i + 1)), other.rows(block))
            if coefficients is not None:
                influence += coefficients.influence(int(i), block)
            error[i, block] = strata.error(influence)
    return rho.clip(-1, 1), error


def rank_correlations_in_each(x: Array, y: Array) -> tuple[Array, Array]:
    """The same in each of h groups of as many samples: of `(h, p, m)` and `(h, q, m)`, `(h, p, q)` both."""
    rho, error = np.full((2, len(x), x.shape[1], y.shape[1]), np.nan)
    size, root = max(1, BLOCK // (y.shape[1] * y.shape[2])), np.sqrt(y.shape[2])
    for start in range(0, len(x), size):
        some = slice(start, start + size)
        one, other = Ranked.of(x[some]), Ranked.of(y[some])
        for i in range(x.shape[1]):
            rho[some, i], influence = _with_each(one.rows(slice(i, i + 1)), other)
            error[some, i] = influence.std(axis=-1, ddof=1) / root
    return rho.clip(-1, 1), error


def _with_each(one: Ranked, others: Ranked) -> tuple[Array, Array]:
    """Spearman's rho of one column `(..., 1, n)` with some, `(..., q)`, and its influence function `(..., q, n)`."""
    f, g = one.shares, others.shares
    (var_f, tie_f), (var_g, tie_g) = one.spread, others.spread
    var_f, var_g = (np.where(var > 0, var, np.nan) for var in (var_f, var_g))
    scale = np.sqrt(var_f * var_g)
    rho = (g @ (f - 0.5).swapaxes(-1, -2) / f.shape[-1]) / scale
    influence = f * g
    influence += _above(_picked(g, one.order), one)
    influence += _above(_picked(f, others.order), others)
    influence /= scale
    if tie_f.any() or tie_g.any():
        influence -= rho / 2 * (tie_f / var_f + tie_g / var_g)
    return rho[..., 0], influence


def _above(ordered: Array, ranked: Ranked) -> Array:
    """The mean of 1{above sample i} times a column, of columns `(..., q, n)` in the order of one ranked, or each."""
    *shape, n = ordered.shape
    total = np.zeros((*shape, n + 1))
    np.cumsum(ordered, axis=-1, out=total[..., 1:])
    mean: Array = (total[..., -1:] - (_picked(total, ranked.below) + _picked(total, ranked.upto)) / 2) / n
    return mean


def _picked(rows: Array, index: Codes) -> Array:
    """Rows `(..., a, k)` at the index `(..., b, n)`, a or b being 1: `np.take_along_axis`, several times as fast."""
    begins = np.arange(0, rows.size, rows.shape[-1]).reshape(*rows.shape[:-1], 1)
    return rows.reshape(-1).take(begins + index)


def on_fisher_scale(rho: float, error: float, dof: int) -> Estimate | None:
    """tanh(atanh rho +- t se/(1 - rho^2)); a point where one column is a function of the other; None for NaN."""
    if not np.isfinite(rho) or dof < 1:
        return None
    if abs(rho) > _EXACT:
        return Estimate(float(rho), float(rho), float(rho), se=0.0, dof=dof)
    middle, half = np.arctanh(rho), quantile(dof) * error / (1 - rho**2)
    return Estimate(float(rho), float(np.tanh(middle - half)), float(np.tanh(middle + half)), se=float(error), dof=dof)


def back_from_fisher(z: float, error: float) -> Estimate | None:
    """tanh(z +- 1.96 se) of a mean on the Fisher scale; None for NaN."""
    if not np.isfinite(z):
        return None
    half, rho = quantile() * error, float(np.tanh(z))
    return Estimate(rho, float(np.tanh(z - half)), float(np.tanh(z + half)), se=float(error) * (1 - rho**2))
