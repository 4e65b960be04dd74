"""Shares of variance."""

from __future__ import annotations

from collections.abc import Mapping

from numpy.typing import ArrayLike

from kinetic.evidence._estimate import Estimate, pair, symmetric
from kinetic.evidence._estimate import column as checked
from kinetic.evidence._strata import Strata


def variance_shares(
    total: ArrayLike, terms: Mapping[str, ArrayLike], strata: ArrayLike | None = None
) -> dict[str, Estimate]:
    """What share of the variance of a sum each of its terms carries, cov(term, total)/var(total), with intervals.

    The shares sum to 1 where the terms sum to `total`. A term that works against the others has a negative share. Empty
    where the total is the same for all. The interval is share +- t se, se^2 = var(psi)/n with the influence function
    psi = (u - share v) v/var(total) of u and v, term and total without their means.

    Args:
        total: `(n,)`.
        terms: `{name: (n,)}`.
        strata: `(n,)`, labels of classes that the ids fix.
    Source: the delta method; van der Vaart, Asymptotic Statistics (1998), chapter 20.
    """
    column = checked(total, "total")
    about = column - column.mean()
    variance = float(about @ about) / len(column)
    if variance == 0:
        return {}
    groups, shares = Strata.of(strata, len(column)), {}
    for name, term in terms.items():
        _, part = pair(column, term, "total", name)
        share = float((part - part.mean()) @ about) / len(column) / variance
        if groups.dof < 1 or len(column) < 3:
            shares[name] = Estimate(share)
            continue
        influence = (part - part.mean() - share * about) * about / variance
        shares[name] = symmetric(share, float(groups.error(influence)), groups.dof)
    return shares
