"""Numbers with intervals: means, shares, differences between arms, rank correlations.

All intervals are 95%. Everything is deterministic: the bootstraps draw from a generator with a fixed seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinetic.errors import OptionError

LEVEL = 0.95
RESAMPLES = 1000
GROUPS = 20
"""Groups of the jackknife; see `groups`."""

_ROUNDING = 1e-6  # samples are float32
_CACHED = 5000  # up to this n the resampling weights are kept, 40 MB at the most

Array = NDArray[np.float64]


@attrs.frozen(eq=False, repr=False)
class Estimate:
    """A number with the interval it is known to.

    Args:
        value: the number.
        low, high: the ends of its 95% interval, or None where there is none.
        leave_out: `(count,)`, the number recomputed without each of `count` `groups` of samples, mostly `GROUPS`, or
            None. From these the jackknife gives intervals of differences between arms.
        leave_out_reference: `(count,)`, the number recomputed without each of `count` groups of the points of the data
            set that the samples are compared with, by their index, or None where there is none, or it is held fixed.
        unbiased: the number freed of what it owes to the numbers of samples and of reference points, not cut off at
            0, or None where it has no such bias, or none that is known. Differences between arms are of these.
    """

    value: float
    low: float | None = None
    high: float | None = None
    leave_out: Array | None = None
    leave_out_reference: Array | None = None
    unbiased: float | None = None

    def __repr__(self) -> str:
        ends = "" if self.low is None or self.high is None else f" [{self.low:.4g}, {self.high:.4g}]"
        return f"Estimate({self.value:.4g}{ends})"

    def to_json(self) -> dict[str, float | None]:
        """As every file holds it: None for a value that is no finite number, and for ends that are not both finite."""
        value, *ends = (x if x is not None and np.isfinite(x) else None for x in (self.value, self.low, self.high))
        low, high = (None, None) if None in (value, *ends) else ends
        return {"value": value, "low": low, "high": high}


@attrs.frozen(eq=False)
class Correlation:
    """Spearman's rho of an energy with a score over n samples: raw, and with controls held fixed.

    Either is None where it does not exist: a column is constant, or (partial) a function of the controls.
    """

    energy: str
    score: str
    n: int
    raw: Estimate | None
    partial: Estimate | None


def mean(values: ArrayLike) -> Estimate:
    """The mean of a column `(n,)` of independent numbers, with its percentile bootstrap interval (n >= 2).

    Above 5,000 numbers the normal interval, mean +- 1.96 sd/sqrt(n), which by then is the same.

    Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    x = _column(values, "values")
    if len(x) == 1:
        return Estimate(float(x[0]))
    if np.ptp(x) == 0:
        return Estimate(float(x[0]), float(x[0]), float(x[0]))
    if len(x) > _CACHED:
        half = 1.959963984540054 * float(x.std(ddof=1)) / np.sqrt(len(x))
        return Estimate(float(x.mean()), float(x.mean()) - half, float(x.mean()) + half)
    return Estimate(float(x.mean()), *_interval(_resampled(x)))


def proportion(hits: ArrayLike) -> Estimate:
    """The share of true entries, with Wilson's score interval, which stays honest at 0 and at 1.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    x = _column(hits, "hits")
    if not np.isin(x, (0, 1)).all():
        raise OptionError("'hits' must be true or false, 0 or 1")
    n, p, z = len(x), float(x.mean()), 1.959963984540054
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = float(middle - half), float(middle + half)
    return Estimate(p, low if p > 0 else 0.0, high if p < 1 else 1.0)  # exact at the ends, rounding aside


def paired_difference(a: ArrayLike, b: ArrayLike) -> Estimate:
    """The mean of a - b over the same samples, `(n,)` each in the same order, with its bootstrap interval."""
    x, y = _column(a, "a"), _column(b, "b")
    if len(x) != len(y):
        raise OptionError(f"paired columns must be equally long: {len(x)} and {len(y)}")
    return mean(x - y)


def groups(ids: ArrayLike, count: int = GROUPS) -> NDArray[np.int64]:
    """The jackknife group, 0 to count - 1, of each sample id.

    Ids are scattered by Fibonacci hashing, so that a group leans to no class where sample i is of class i mod C.
    """
    hashed = np.asarray(ids).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return ((hashed >> np.uint64(32)) * np.uint64(count) >> np.uint64(32)).astype(np.int64)


def jackknife(value: float, leave_out: ArrayLike) -> Estimate:
    """A set statistic with the interval of the delete-a-group jackknife.

    With theta_g the statistic without group g of G, se^2 = (G-1)/G sum (theta_g - mean)^2; the interval is
    value +- t se with Student's t of G - 1 degrees of freedom.

    Source: Tukey (1958); Shao & Tu, The Jackknife and Bootstrap (1995), section 2.3.
    """
    theta = _column(leave_out, "leave_out")
    half = _student(len(theta)) * float(np.sqrt(_jackknife_variance(theta)))
    return Estimate(float(value), float(value) - half, float(value) + half, theta)


def two_jackknives(value: float, leave_out: ArrayLike, leave_out_reference: ArrayLike) -> Estimate:
    """A set statistic with its interval over draws of the samples and of the reference, which are independent.

    Its variance is the sum of those of `jackknife` over groups of samples and over groups of reference points.
    """
    theta, reference = _column(leave_out, "leave_out"), _column(leave_out_reference, "leave_out_reference")
    error = float(np.sqrt(_jackknife_variance(theta) + _jackknife_variance(reference)))
    half = _student(min(len(theta), len(reference))) * error
    return Estimate(float(value), float(value) - half, float(value) + half, theta, reference)


def comparable(a: Estimate, b: Estimate) -> bool:
    """Whether `jackknife_difference` can be: leave-out values of both over as many groups, of the reference as well."""

    def counts(estimate: Estimate) -> list[int]:
        return [-1 if x is None else len(x) for x in (estimate.leave_out, estimate.leave_out_reference)]

    return a.leave_out is not None and counts(a) == counts(b) and (a.unbiased is None) == (b.unbiased is None)


def jackknife_difference(a: Estimate, b: Estimate) -> Estimate:
    """a - b of two set statistics over the same samples, the jackknife paired by group.

    Where both have them, the difference is of the unbiased values, and the interval is over draws of the reference too,
    which both share, paired by its groups; else the reference is held fixed. There is no interval if one is NaN, or if
    no group matters, as where both are 0 whatever is left out.
    """
    if not comparable(a, b):
        raise OptionError("both estimates need leave-out values over the same groups of samples and of the reference")
    assert a.leave_out is not None
    assert b.leave_out is not None
    value = a.value - b.value if a.unbiased is None or b.unbiased is None else a.unbiased - b.unbiased
    samples = a.leave_out - b.leave_out
    if a.leave_out_reference is None or b.leave_out_reference is None:
        return jackknife(value, samples) if _moves(value, samples) else Estimate(value)
    reference = a.leave_out_reference - b.leave_out_reference
    return two_jackknives(value, samples, reference) if _moves(value, samples, reference) else Estimate(value)


def spearman(
    table: Mapping[str, ArrayLike], energies: Sequence[str], scores: Sequence[str], controls: Sequence[str] = ()
) -> list[Correlation]:
    """Spearman's rho of every energy with every score, raw and with the controls held fixed.

    Raw is the correlation of the ranks (ties share their mean rank). Partial is the correlation of what is left of both
    ranks after linear regression on the ranks of the controls. The intervals are percentile bootstraps over samples
    with the ranks held fixed, so that all of them come of one product of resampling weights and products of ranks.
    A column whose values differ by less than 1e-6 of 1 + the largest is rounding, and counts as constant.

    Args:
        table: `{column: (n,)}`, finite.
        energies, scores, controls: names of columns.
    Source: the partial rank correlation as in Conover, Practical Nonparametric Statistics (1999), section 5.4.
    """
    from scipy.stats import rankdata

    names = list(dict.fromkeys([*controls, *energies, *scores]))
    columns = [_column(table[name], name) for name in names]
    n = len(columns[0])
    if any(len(column) != n for column in columns):
        raise OptionError("columns must be equally long")
    spread = [np.ptp(column) > _ROUNDING * (1 + np.abs(column).max()) for column in columns]
    varies = dict(zip(names, map(bool, spread), strict=True))
    if n < 4 or not any(varies.values()):
        return [Correlation(energy, score, n, None, None) for energy in energies for score in scores]
    ranks = np.stack([rankdata(column) for column in columns], 1)
    ranks = (ranks - ranks.mean(0)) / np.where(ranks.std(0) > 0, ranks.std(0), 1.0)
    place = {name: index for index, name in enumerate(names)}
    held = [place[name] for name in controls if varies[name]]
    covariances = _covariances(ranks)
    left = _residual(covariances, held)
    rows = []
    for energy in energies:
        for score in scores:
            i, j = place[energy], place[score]
            there = varies[energy] and varies[score] and energy != score
            raw = _rho(covariances, i, j) if there else None
            partial = _rho(left, i, j) if there and held else None
            rows.append(Correlation(energy, score, n, raw, partial))
    return rows


def expected_false(rows: Sequence[Correlation]) -> float:
    """How many of the rows' intervals would miss 0 by chance, were nothing correlated: 5% of them."""
    return (1 - LEVEL) * sum((row.raw is not None) + (row.partial is not None) for row in rows)


def variance_shares(total: ArrayLike, terms: Mapping[str, ArrayLike]) -> dict[str, float]:
    """What share of the variance of a sum each of its terms carries, cov(term, total)/var(total).

    The shares sum to 1 where the terms sum to `total`. A term that works against the others has a negative share. Empty
    where the total is the same for all.

    Args:
        total: `(n,)`.
        terms: `{name: (n,)}`.
    """
    column = _column(total, "total")
    about = column - column.mean()
    variance = float(about @ about)
    if variance == 0:
        return {}
    parts = {name: _column(term, name) for name, term in terms.items()}
    return {name: float((term - term.mean()) @ about) / variance for name, term in parts.items()}


def quantile_groups(energy: ArrayLike, score: ArrayLike, q: float = 0.2) -> tuple[Estimate, Estimate, Estimate]:
    """Mean score of the share q of the samples with the lowest energy, of those with the highest, and high - low.

    Ties are broken by the samples' order. Intervals by bootstrap, the two groups resampled independently.
    """
    if not 0 < q <= 0.5:
        raise OptionError(f"'q' must be a number > 0 and <= 0.5: {q!r}")
    e, s = _column(energy, "energy"), _column(score, "score")
    size = max(1, int(q * len(e)))
    order = np.argsort(e, kind="stable")
    low, high = s[order[:size]], s[order[-size:]]
    if size == 1:
        return Estimate(float(low[0])), Estimate(float(high[0])), Estimate(float(high[0] - low[0]))
    lows, highs = _resampled(low, 1), _resampled(high, 2)
    difference = float(high.mean() - low.mean())
    return (
        Estimate(float(low.mean()), *_interval(lows)),
        Estimate(float(high.mean()), *_interval(highs)),
        Estimate(difference, *_interval(highs - lows)),
    )


def _column(values: Any, name: str) -> Array:
    column: Array = np.asarray(values, dtype=np.float64)
    if column.ndim != 1 or len(column) == 0:
        raise OptionError(f"{name!r} must be a column (n,) with n >= 1: {column.shape}")
    bad = int((~np.isfinite(column)).sum())
    if bad:
        raise OptionError(f"{name!r} must be finite: {bad} of {len(column)} values are not")
    return column


def _student(count: int) -> float:
    """How many standard errors of a jackknife over `count` groups reach to the ends of the interval."""
    from scipy.stats import t as student

    if count < 2:
        raise OptionError(f"the jackknife needs 2 groups or more: {count}")
    return float(student.ppf((1 + LEVEL) / 2, count - 1))


def _moves(value: float, *parts: Array) -> bool:
    """Whether leave-out values are numbers and some group matters: where none does there is no width to be told."""
    return bool(np.isfinite(np.concatenate([[value], *parts])).all()) and any(np.ptp(part) > 0 for part in parts)


def _jackknife_variance(theta: Array) -> float:
    return (len(theta) - 1) / len(theta) * float(np.square(theta - theta.mean()).sum())


def _resampled(columns: Array, seed: int = 0) -> Array:
    """Bootstrap means `(RESAMPLES, ...)` of columns `(n, ...)`: resampling weights times columns, in blocks."""
    n = len(columns)
    if n <= _CACHED:
        return _weights(n, seed) @ columns
    rng, share = np.random.default_rng([seed, n]), np.full(n, 1 / n)
    size = max(1, 2**23 // n)
    blocks = [rng.multinomial(n, share, size=min(size, RESAMPLES - k)) for k in range(0, RESAMPLES, size)]
    return np.concatenate([block / n @ columns for block in blocks])


@lru_cache(maxsize=6)
def _weights(n: int, seed: int) -> Array:
    """Bootstrap resamples of n as weights `(RESAMPLES, n)`, each row summing to 1."""
    rng = np.random.default_rng([seed, n])
    return rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES) / n


def _interval(draws: Array) -> tuple[float, float]:
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _covariances(columns: Array) -> Array:
    """Covariances of the columns `(n, p)`, as they are and in each bootstrap resample: `(1 + RESAMPLES, p, p)`."""
    p = columns.shape[1]
    upper = np.triu_indices(p)
    products = np.concatenate([columns, columns[:, upper[0]] * columns[:, upper[1]]], 1)
    means = np.concatenate([products.mean(0, keepdims=True), _resampled(products)])
    full = np.empty((len(means), p, p))
    full[:, upper[0], upper[1]] = full[:, upper[1], upper[0]] = means[:, p:]
    return full - means[:, :p, None] * means[:, None, :p]


def _residual(covariances: Array, held: list[int]) -> Array:
    """Covariances of what linear regression on the held columns leaves: the Schur complement."""
    if not held:
        return covariances
    cross, inner = covariances[:, :, held], covariances[:, held][:, :, held]
    return covariances - cross @ np.linalg.pinv(inner, rcond=1e-12, hermitian=True) @ cross.transpose(0, 2, 1)


def _rho(covariances: Array, i: int, j: int) -> Estimate | None:
    """The first matrix gives the value, the others the interval; None where no variance is left of unit variance."""
    both = covariances[:, i, i] * covariances[:, j, j]
    if covariances[0, i, i] < 1e-9 or covariances[0, j, j] < 1e-9:
        return None
    rho = covariances[:, i, j] / np.sqrt(np.maximum(both, 1e-300))
    rho = rho.clip(-1, 1)
    return Estimate(float(rho[0]), *_interval(rho[1:]))
