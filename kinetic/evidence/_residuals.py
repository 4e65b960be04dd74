"""What is left of columns after regression on controls."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetic.evidence._estimate import Array
from kinetic.evidence._table import Columns

ROUNDING = 1e-8
"""A column of which regression leaves this share of the variance or less is a function of the controls."""

_RANK = 1e-10  # below, a regressor is a combination of the others
_PER_TERM = 4  # samples that a cubic polynomial needs for each of its terms


@final
@attrs.frozen(eq=False)
class Beyond:
    """Energies and scores without what their controls account for; see `of`.

    Args:
        x, y: residuals `(p, n)` and `(q, n)`, linear in the controls.
        fitted: `(c, n)`, combinations of the controls of variance 1 and uncorrelated.
        cubic: the same of cubic polynomials of the controls; None where samples are fewer than four for each term.
        function: `(p, q)`, true where either is a polynomial of the controls.
    """

    x: Array
    y: Array
    fitted: Array
    cubic: tuple[Array, Array] | None
    function: NDArray[np.bool_]

    @classmethod
    def of(cls, columns: Columns) -> Beyond:
        """Of columns with one control or more."""
        (x, no_x), (y, no_y) = (residuals(each, columns.controls) for each in (columns.x, columns.y))
        cubic = None
        if columns.n >= _PER_TERM * _terms(len(columns.controls)):
            (left_x, no_x), (left_y, no_y) = (residuals(each, columns.controls, 3) for each in (columns.x, columns.y))
            cubic = left_x, left_y
        _, sizes, fitted = np.linalg.svd(_standard(columns.controls), full_matrices=False)
        fitted = fitted[sizes > _RANK * sizes[0]] * np.sqrt(columns.n)
        return cls(x, y, fitted, cubic, no_x[:, None] | no_y)


def residuals(columns: Array, controls: Array, degree: int = 1) -> tuple[Array, NDArray[np.bool_]]:
    """What least squares on a polynomial of the controls leaves, and which columns it leaves nothing of.

    Args:
        columns: `(p, n)`, none constant.
        controls: `(c, n)`, none constant.
        degree: 1, or 3 with all products of up to three controls.
    Returns:
        The residuals `(p, n)` of the columns at mean 0 and variance 1, and `(p,)`, true where their variance is at most
        `ROUNDING`.
    """
    basis, standard = _basis(_standard(controls), degree), _standard(columns)
    left = standard - (standard @ basis.T) @ basis
    return left, np.square(left).mean(1) <= ROUNDING


def _standard(columns: Array) -> Array:
    centred = columns - columns.mean(1, keepdims=True)
    scaled: Array = centred / centred.std(1, keepdims=True)
    return scaled


def _basis(controls: Array, degree: int) -> Array:
    """Orthonormal rows that span the polynomials of a degree."""
    count, n = controls.shape
    rows = [np.ones(n)]
    for order in range(1, degree + 1):
        rows += [np.prod(controls[list(which)], axis=0) for which in combinations_with_replacement(range(count), order)]
    terms = np.stack(rows)
    terms /= np.sqrt(np.square(terms).mean(1, keepdims=True))
    _, sizes, basis = np.linalg.svd(terms, full_matrices=False)
    kept: Array = basis[sizes > _RANK * sizes[0]]
    return kept


def _terms(controls: int) -> int:
    """Of a cubic polynomial."""
    return (controls + 1) * (controls + 2) * (controls + 3) // 6
