"""Samples of low and of high energy."""

from __future__ import annotations

from typing import final

import attrs
import numpy as np
from numpy.typing import ArrayLike

from kinetic.errors import OptionError
from kinetic.evidence._estimate import Array, Estimate, column, symmetric
from kinetic.evidence._order import ascending
from kinetic.evidence._strata import Codes, Strata


@final
@attrs.frozen(eq=False)
class QuantileGroups:
    """Samples by their energy, put in order once for any number of scores; see `quantile_groups`.

    Args:
        order: `(n,)`, the samples in ascending order of energy, ties in the samples' order.
        size: samples of a group.
        strata: of the n samples.
    """

    order: Codes
    size: int
    strata: Strata

    @classmethod
    def of(cls, energy: ArrayLike, q: float = 0.2, strata: ArrayLike | None = None) -> QuantileGroups:
        """The shares q of the samples with the lowest and the highest energy."""
        if not 0 < q <= 0.5:
            raise OptionError(f"'q' must be a number > 0 and <= 0.5: {q!r}")
        e = column(energy, "energy")
        (order,), _ = ascending(e[None])
        return cls(order, max(1, int(q * len(e))), Strata.of(strata, len(e)))

    def means(self, score: ArrayLike) -> tuple[Estimate, Estimate, Estimate]:
        """The mean score `(n,)` of the lowest, of the highest, and high - low."""
        s = column(score, "score")
        if len(s) != len(self.order):
            raise OptionError(f"paired columns must be equally long: {len(self.order)} and {len(s)}")
        low, low_influence = _lowest(self.order, s, self.size)
        high, high_influence = _lowest(self.order[::-1], s, self.size)
        if self.size == 1 or self.strata.dof < 1:
            return Estimate(low), Estimate(high), Estimate(high - low)
        parts = ((low, low_influence), (high, high_influence), (high - low, high_influence - low_influence))
        one, other, difference = (
            symmetric(value, float(self.strata.error(psi)), self.size - 1) for value, psi in parts
        )
        return one, other, difference


def quantile_groups(
    energy: ArrayLike, score: ArrayLike, q: float = 0.2, strata: ArrayLike | None = None
) -> tuple[Estimate, Estimate, Estimate]:
    """Mean score of the share q of the samples with the lowest energy, of those with the highest, and high - low.

    Ties are broken by the samples' order. The threshold c moves with the samples, which the intervals hold: the
    influence function of the low mean is psi = 1{E <= c}(s - m(c))/q, where m(c) is the mean score at the threshold, of
    the n^(2/3) samples next to it; of the high mean likewise; of high - low the difference. value +- t se, se^2 =
    var(psi)/n, t of as many degrees of freedom as a group has samples, less 1.

    Args:
        energy, score: `(n,)`.
        q: share of a group, at most 1/2.
        strata: `(n,)`, labels of classes that the ids fix.
    Source: for the trimmed mean Stigler, The asymptotic distribution of the trimmed mean, Annals of Statistics 1
        (1973); with a score beside the energy, the concomitants of order statistics of Yang, Annals of Statistics 5
        (1977).
    """
    return QuantileGroups.of(energy, q, strata).means(score)


def _lowest(order: Codes, score: Array, size: int) -> tuple[float, Array]:
    """The mean score of the first `size` samples of an order, and its influence function `(n,)`."""
    n = len(order)
    near = min(max(2, round(n ** (2 / 3) / 2)), size)
    at_threshold = score[order[size - near : size + near]].mean()
    influence = np.zeros(n)
    influence[order[:size]] = (score[order[:size]] - at_threshold) * (n / size)
    return float(score[order[:size]].mean()), influence
