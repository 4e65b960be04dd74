"""A number with its interval."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetic._display import Card, Displayed
from kinetic.errors import OptionError

LEVEL = 0.95
"""Of every interval."""

Array = NDArray[np.float64]


@attrs.frozen(eq=False, repr=False)
class Estimate(Displayed):
    """A number with the interval it is known to.

    Args:
        value: the number.
        low, high: the ends of its 95% interval, or None where there is none.
        leave_out: `(count,)`, the number recomputed without each of `count` `groups` of samples, mostly `GROUPS`, or
            None. From these the jackknife gives intervals of differences between arms.
        se: its standard error, None where there is no interval. Of yes and no it is half the width of the score
            interval over 1.96, which is never 0.
        dof: the degrees of freedom of Student's t that the standard error goes with; None: the normal.
        leave_out_reference: `(count,)`, the number recomputed without each of `count` groups of the points of the data
            set that the samples are compared with, by their index, or None where there is none, or it is held fixed.
        unbiased: the number freed of what it owes to the numbers of samples and of reference points, not cut off at
            0, or None where it has no such bias, or none that is known. Differences between arms are of these.
    """

    value: float
    low: float | None = None
    high: float | None = None
    leave_out: Array | None = None
    se: float | None = None
    dof: float | None = None
    leave_out_reference: Array | None = None
    unbiased: float | None = None

    def __str__(self) -> str:
        ends = "" if self.low is None or self.high is None else f" [{self.low:.4g}, {self.high:.4g}]"
        return f"{self.value:.4g}{ends}"

    def _card(self) -> Card:
        return Card("Estimate", (("", str(self)),), inline=True)

    @property
    def sign(self) -> int:
        """1 where the interval lies above 0, -1 where it lies below, 0 where it holds 0 or there is none."""
        if self.low is None or self.high is None:
            return 0
        return int(self.low > 0) - int(self.high < 0)

    def to_json(self) -> dict[str, float | None]:
        """As every file holds it: None for a value that is no finite number, and for ends that are not both finite."""
        value, *ends = (x if x is not None and np.isfinite(x) else None for x in (self.value, self.low, self.high))
        low, high = (None, None) if None in (value, *ends) else ends
        return {"value": value, "low": low, "high": high}


@lru_cache(maxsize=1024)
def quantile(dof: float | None = None, level: float = LEVEL) -> float:
    """What a standard error is multiplied by: 1.96 for 95% of the normal, more for Student's t of `dof`."""
    from scipy.special import ndtri, stdtrit

    share = (1 + level) / 2
    return float(ndtri(share) if dof is None else stdtrit(dof, share))


def symmetric(value: float, se: float, dof: float | None = None) -> Estimate:
    """value +- t se, with Student's t of `dof`, or the normal."""
    half = quantile(dof) * float(se)
    return Estimate(float(value), float(value) - half, float(value) + half, se=float(se), dof=dof)


def column(values: Any, name: str) -> Array:
    """A column `(n,)` of finite numbers as float64, or an OptionError that says what it is instead."""
    checked: Array = np.asarray(values, dtype=np.float64)
    if checked.ndim != 1 or len(checked) == 0:
        raise OptionError(f"{name!r} must be a column (n,) with n >= 1: {checked.shape}")
    bad = int((~np.isfinite(checked)).sum())
    if bad:
        raise OptionError(f"{name!r} must be finite: {bad} of {len(checked)} values are not")
    return checked


def pair(a: Any, b: Any, first: str = "a", second: str = "b") -> tuple[Array, Array]:
    """Two columns `(n,)` of the same samples."""
    x, y = column(a, first), column(b, second)
    if len(x) != len(y):
        raise OptionError(f"paired columns must be equally long: {len(x)} and {len(y)}")
    return x, y


def margin(delta: float) -> float:
    """The smallest effect that matters, a finite number >= 0."""
    if not (np.isfinite(delta) and delta >= 0):
        raise OptionError(f"'delta' must be a number >= 0: {delta!r}")
    return float(delta)
