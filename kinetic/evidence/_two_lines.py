"""Whether a relation has an optimum inside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import attrs
import numpy as np
from numpy.typing import ArrayLike

from kinetic.errors import OptionError
from kinetic.evidence._estimate import Array, Estimate, margin, pair, symmetric
from kinetic.evidence._finding import Finding, Word, beyond, decide
from kinetic.evidence._forecast import times_to_pass

_LEAST = 50  # ten samples in each fifth
_KNOTS = 6
_TRIMMED = 0.1  # of either end, where no break is looked for
_FIFTHS = 5
_TINY = 1e-100  # of a line without scatter


@attrs.frozen(eq=False)
class TwoLines:
    """What two lines say of an optimum inside.

    Args:
        word: `holds`, `holds, negligible`, `does not hold` or `undecided`.
        at: x where the two lines break.
        below, above: their slopes, in units of y for one of x.
        fifths: by how much the mean of y of each inner fifth of x stands out over that of the first fifth, and of the
            last, in standard deviations of y.
    """

    word: Word
    at: float
    below: Estimate
    above: Estimate
    fifths: tuple[tuple[Estimate, Estimate], ...]


def two_lines(
    x: ArrayLike, y: ArrayLike, kind: Literal["maximum", "minimum"] = "maximum", delta: float = 0.2
) -> TwoLines:
    """Whether y rises with x up to some point and falls from there, or the other way about.

    It holds where two lines that may jump at the break c, y = a + b min(x - c, 0) + d max(x - c, 0) + e 1{x >= c}, have
    slopes of opposite signs, both |t| > 1.96 with errors HC3; c is set by the Robin Hood rule. It does not hold where
    no inner fifth of x stands out: for each of them the upper 97.5% bound of its mean of y over that of the first
    fifth, or over that of the last, is below delta standard deviations of y. Both: it holds, negligible.

    Args:
        x, y: `(n,)`, n >= 50.
        kind: `maximum` or `minimum`.
        delta: the smallest prominence that matters, in standard deviations of y.
    Source: U. Simonsohn, Two lines: a valid alternative to the invalid testing of U-shaped relationships with
        quadratic regressions, AMPPS 1 (2018).
    """
    margin(delta)
    if kind not in ("maximum", "minimum"):
        raise OptionError(f"'kind' must be one of maximum, minimum: {kind!r}")
    a, b = _checked(x, y)
    up = b if kind == "maximum" else -b
    at = _break(a, up)
    below, above = _slopes(a, up, at)
    fifths = _fifths(a, up)
    word = decide(optimum_finding(below, above, fifths, delta)).word
    if kind == "minimum":
        below, above = _negative(below), _negative(above)
    return TwoLines(word, at, below, above, fifths)


def optimum_finding(
    below: Estimate, above: Estimate, fifths: Sequence[tuple[Estimate, Estimate]], delta: float
) -> Finding:
    """How far two slopes and the inner fifths speak for a maximum inside, and against it; arguments as of `TwoLines`.

    p is the larger one of the two slopes, each on its side; `against` the largest over the fifths of the smaller one
    of a prominence of delta over either end.
    """
    if any(each.low is None for each in (below, above, *(end for ends in fifths for end in ends))):
        return Finding()
    return Finding(
        max(beyond(below, 0.0, 1), beyond(above, 0.0, -1)),
        max(min(beyond(end, delta, -1) for end in ends) for ends in fifths),
        max(times_to_pass(below, 1), times_to_pass(above, -1)),
        max(min(times_to_pass(end, -1, delta) for end in ends) for ends in fifths),
    )


def _checked(x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    a, b = pair(x, y, "x", "y")
    if len(a) < _LEAST:
        raise OptionError(f"two lines need {_LEAST} samples or more: {len(a)}")
    if np.ptp(np.quantile(a, [_TRIMMED, 1 - _TRIMMED])) == 0:
        raise OptionError("'x' must vary: eight tenths of it are one value")
    if np.ptp(b) == 0:
        raise OptionError("'y' must vary: all of it is one value")
    return a, b


def _break(x: Array, y: Array) -> float:
    """Robin Hood: where the smooth curve is near its top, so as to give more samples to the line of the weaker t."""
    curve, error = _smooth(x, y)
    low, high = np.quantile(x, [_TRIMMED, 1 - _TRIMMED])
    inner = (x >= low) & (x <= high)
    top = np.flatnonzero(inner)[np.argmax(curve[inner])]
    flat = x[inner & (curve >= curve[top] - error[top])]
    first, second = (abs(slope.value) / max(slope.se or 0.0, _TINY) for slope in _slopes(x, y, float(np.median(flat))))
    return float(np.quantile(flat, second / max(first + second, _TINY)))


def _smooth(x: Array, y: Array) -> tuple[Array, Array]:
    """A natural cubic spline with knots at quantiles, fitted by least squares, and its standard error: `(n,)` both."""
    knots = np.unique(np.quantile(x, np.linspace(0.05, 0.95, _KNOTS)))
    span = knots[-1] - knots[0]
    cubes = np.maximum((x[:, None] - knots) / span, 0) ** 3
    bent = (cubes[:, :-1] - cubes[:, -1:]) / (knots[-1] - knots[:-1]) * span
    basis, _ = np.linalg.qr(np.column_stack([np.ones(len(x)), (x - x.mean()) / span, bent[:, :-1] - bent[:, -1:]]))
    curve = basis @ (basis.T @ y)
    variance = np.square(y - curve).sum() / (len(x) - basis.shape[1])
    return curve, np.sqrt(variance * np.square(basis).sum(1))


def _slopes(x: Array, y: Array, at: float) -> tuple[Estimate, Estimate]:
    """Of the two lines, with HC3 errors; samples at the break are of the upper line."""
    high = x >= at
    design = np.column_stack([np.ones(len(x)), np.minimum(x - at, 0), np.maximum(x - at, 0), high])
    inverse = np.linalg.pinv(design.T @ design)
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design).clip(0, 1 - 1e-9)
    slopes = inverse @ (design.T @ y)
    scores = design * ((y - design @ slopes) / (1 - leverage))[:, None]
    errors = np.sqrt(np.diag(inverse @ (scores.T @ scores) @ inverse))
    return symmetric(slopes[1], errors[1]), symmetric(slopes[2], errors[2])


def _fifths(x: Array, y: Array) -> tuple[tuple[Estimate, Estimate], ...]:
    """Each inner fifth of x over the first and over the last, in standard deviations of y."""
    fifths, sd = np.array_split(y[np.argsort(x, kind="stable")], _FIFTHS), float(y.std())
    means = [float(each.mean()) for each in fifths]
    variances = [float(each.var(ddof=1)) / len(each) for each in fifths]

    def over(j: int, end: int) -> Estimate:
        return symmetric((means[j] - means[end]) / sd, float(np.sqrt(variances[j] + variances[end])) / sd)

    return tuple((over(j, 0), over(j, -1)) for j in range(1, _FIFTHS - 1))


def _negative(estimate: Estimate) -> Estimate:
    assert estimate.low is not None
    assert estimate.high is not None
    return Estimate(-estimate.value, -estimate.high, -estimate.low, se=estimate.se, dof=estimate.dof)
