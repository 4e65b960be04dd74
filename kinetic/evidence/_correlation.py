"""Correlations of energies with scores: as they are, with controls held fixed, and within classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinetic.evidence._estimate import LEVEL, Estimate
from kinetic.evidence._gcm import generalised_covariance
from kinetic.evidence._ranks import back_from_fisher, on_fisher_scale, rank_correlations
from kinetic.evidence._residuals import Beyond
from kinetic.evidence._strata import Strata
from kinetic.evidence._table import Columns
from kinetic.evidence._within import within_strata

Grids = dict[str, NDArray[Any]]  # {field of Correlation: (energies, scores)}


@attrs.frozen(eq=False)
class Correlation:
    """Spearman's rho of an energy with a score over n samples, and what of it is beyond the controls and the classes.

    Args:
        energy, score: names.
        n: samples.
        raw: Spearman's rho. None where a column is constant.
        partial: Spearman's rho of what linear regression on the controls leaves of both columns: for reading. None
            without controls, and where a column is a function of them.
        gcm: the generalised covariance measure, about normal of variance 1 where energy and score are independent given
            the controls: the test. None as `partial` is, and where samples are too few for cubic polynomials.
        p: its two-sided p-value.
        within: rho within strata, put together. None where fewer than two have ten samples.
        q, q_p: Cochran's Q, whether the strata agree, and its p-value.
    """

    energy: str
    score: str
    n: int
    raw: Estimate | None = None
    partial: Estimate | None = None
    gcm: float | None = None
    p: float | None = None
    within: Estimate | None = None
    q: float | None = None
    q_p: float | None = None

    @property
    def beyond(self) -> bool | None:
        """Whether the test says that energy and score hang together beyond the controls; None without a test."""
        return None if self.p is None else self.p < 1 - LEVEL


def spearman(
    table: Mapping[str, ArrayLike],
    energies: Sequence[str],
    scores: Sequence[str],
    controls: Sequence[str] = (),
    strata: ArrayLike | None = None,
) -> list[Correlation]:
    """Spearman's rho of every energy with every score: raw, with the controls held fixed, and within strata.

    Intervals are tanh(atanh rho +- t se/(1 - rho^2)) with the standard error of the influence function. `partial` is
    the rho of residuals linear in the raw controls, so that a sum of controls is held fixed too; it is no test, since a
    score may be a curved function of the controls. The test is the generalised covariance measure with residuals r on
    cubic polynomials of the raw controls, gcm = mean(r_x r_y)/se(r_x r_y). A column whose values differ by less than
    1e-6 of 1 + the largest is rounding, and counts as constant.

    Args:
        table: `{column: (n,)}`, finite.
        energies, scores, controls: names of columns.
        strata: `(n,)`, labels of classes that the ids fix: every standard error holds their numbers fixed, and each row
            has the rho within them.
    Source: Fieller, Hartley & Pearson, Biometrika 44 (1957), for the scale; Shah & Peters, The hardness of conditional
        independence testing and the generalised covariance measure, Annals of Statistics 48 (2020), for the test.
    """
    columns = Columns.of(table, energies, scores, controls)
    if columns.empty:
        return [Correlation(energy, score, columns.n) for energy in energies for score in scores]
    groups = Strata.of(strata, columns.n)
    fields = _raw(columns, groups)
    fields |= _beyond(columns, groups) if len(columns.controls) else {}
    fields |= _within(columns, groups) if strata is not None else {}

    def row(energy: str, score: str) -> Correlation:
        if energy not in columns.energies or score not in columns.scores or energy == score:
            return Correlation(energy, score, columns.n)
        cell = columns.energies.index(energy), columns.scores.index(score)
        return Correlation(energy, score, columns.n, **{name: grid[cell] for name, grid in fields.items()})

    return [row(energy, score) for energy in energies for score in scores]


def _raw(columns: Columns, groups: Strata) -> Grids:
    rho, error = rank_correlations(columns.x, columns.y, groups)
    return {"raw": _grid(lambda cell: on_fisher_scale(rho[cell], error[cell], groups.dof - 1), rho.shape)}


def _beyond(columns: Columns, groups: Strata) -> Grids:
    """`partial` of residuals linear in the controls, `gcm` and `p` of those cubic in them."""
    beyond = Beyond.of(columns)
    dof = groups.dof - 1 - len(columns.controls)
    rho, error = rank_correlations(beyond.x, beyond.y, groups, beyond.fitted)
    rho[beyond.function] = np.nan
    fields = {"partial": _grid(lambda cell: on_fisher_scale(rho[cell], error[cell], dof), rho.shape)}
    if beyond.cubic is None:
        return fields
    gcm, p = generalised_covariance(*beyond.cubic, groups)
    gcm[beyond.function] = p[beyond.function] = np.nan
    fields["gcm"] = _grid(lambda cell: _finite(gcm[cell]), rho.shape)
    fields["p"] = _grid(lambda cell: _finite(p[cell]), rho.shape)
    return fields


def _within(columns: Columns, groups: Strata) -> Grids:
    mean, error, q, q_p = within_strata(columns.x, columns.y, groups)
    return {
        "within": _grid(lambda cell: back_from_fisher(mean[cell], error[cell]), mean.shape),
        "q": _grid(lambda cell: _finite(q[cell]), mean.shape),
        "q_p": _grid(lambda cell: _finite(q_p[cell]), mean.shape),
    }


def _grid(make: Callable[[tuple[int, int]], object], shape: tuple[int, ...]) -> NDArray[Any]:
    grid = np.empty(shape, object)
    for cell in np.ndindex(shape):
        grid[cell] = make(cell)
    return grid


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
