"""What a Frechet distance is known to: over draws of samples, and over draws of the reference."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kinetic import Estimate, evidence
from kinetic_metrics.gaussians import Gaussian, distance_derivative, gaussian_distance
from kinetic_metrics.grouped_features import GroupedFeatures
from kinetic_metrics.jackknife import FEWEST, LEAST

Array = NDArray[np.float64]

_REFITTED = 512  # wider features are not fitted anew without each group, which costs a distance each
_SINGULAR = 10  # parts that are left out of wide features where the distance has no derivative


@attrs.frozen(eq=False)
class FrechetEstimate:
    """A Frechet distance with its intervals.

    Args:
        given: the distance with its interval given this reference, and all that differences between arms are made of,
            where they can be.
        both: the interval over draws of the samples and of the reference, about the distance freed of its bias in
            n and m where that is known, about the distance itself elsewhere; or None.
        freed: whether it is freed of its bias.
        without: the distance without each group of samples, where there is an interval.
    """

    given: Estimate
    both: Estimate | None = None
    freed: bool = False
    without: Array | None = None


def frechet_estimate(samples: GroupedFeatures, reference: GroupedFeatures | Gaussian) -> FrechetEstimate:
    """The distance of samples to the reference, by the jackknife over groups of either.

    Each value without a group is a refit, or, of more than 512 features, the first-order one by the derivative of the
    distance (the infinitesimal jackknife). The bias is about b/n + c/m; it is taken off by halves, as
    3 FD(n, m) - mean FD(n/2, m) - mean FD(n, m/2), where n and m are four times the width or more. Without a bias
    taken off no difference between arms would hold the truth, and nothing to make one of is given.

    Args:
        samples: what is judged.
        reference: what it is compared with; a Gaussian is held fixed.
    Source: Efron, The Jackknife, the Bootstrap and Other Resampling Plans (1982), chapter 6.
    """
    fixed = isinstance(reference, Gaussian)
    target = reference if isinstance(reference, Gaussian) else reference.gaussian()
    if samples.groups < 2 or samples.n < LEAST:
        return FrechetEstimate(Estimate(gaussian_distance(samples.gaussian(), target)))
    drawn = None if isinstance(reference, Gaussian) or reference.n < LEAST else reference
    value, without, without_reference = _without_each(samples, target, drawn)
    given = _above_0(evidence.jackknife(value, without))
    halves: list[float] = []
    if _many(samples) and (fixed or (drawn is not None and _many(drawn))):
        halves = [_of_halves(samples, target), *([] if drawn is None else [_of_halves(drawn, samples.gaussian())])]
    unbiased = value + sum(value - half for half in halves) if halves else None
    if unbiased is not None and (fixed or without_reference is not None):
        given = attrs.evolve(given, leave_out_reference=without_reference, unbiased=unbiased)
    else:
        given = attrs.evolve(given, leave_out=None)
    if without_reference is None:
        return FrechetEstimate(given, without=without)
    centre = value if unbiased is None else unbiased
    both = _above_0(evidence.two_jackknives(centre, without, without_reference))
    return FrechetEstimate(given, both, bool(halves), without)


def _without_each(
    samples: GroupedFeatures, target: Gaussian, reference: GroupedFeatures | None
) -> tuple[float, Array, Array | None]:
    """The distance, and what it is without each group of samples and of reference points."""
    own = samples.gaussian()
    slope = None if samples.width <= _REFITTED else distance_derivative(own, target, torch.float32)
    if slope is not None:
        without = _first_order(samples, slope.distance, slope.step, slope.there)
        theirs = None if reference is None else _first_order(reference, slope.distance, -slope.step, slope.back)
        return slope.distance, without, theirs
    wide = samples.width > _REFITTED
    without = _distances(samples.without_each(_SINGULAR if wide else samples.groups), target)
    theirs = None if wide or reference is None else _distances(reference.without_each(reference.groups), own)
    return gaussian_distance(own, target), without, theirs


def _first_order(side: GroupedFeatures, value: float, step: Tensor, factor: Tensor) -> Array:
    """Without each group, by the influence of its points on a distance whose derivatives are 2 step and I - F F^T.

    A point x about the mean m moves it by psi = 2 step . (x - m) + (x - m)^T (I - F F^T) (x - m) less the mean of that;
    without the points of a group it is the value - sum psi / (n - n_g).
    """
    counts, sums = side.sums_of(step, factor)
    influences = sums - counts * (sums.sum() / side.n)
    return value - (influences / (side.n - counts)).numpy()


def _distances(fits: Iterable[Gaussian], other: Gaussian) -> Array:
    return np.array([gaussian_distance(fit, other) for fit in fits])


def _of_halves(side: GroupedFeatures, other: Gaussian) -> float:
    """The mean distance of its two halves."""
    return float(_distances((half.gaussian() for half in side.halves), other).mean())


def _many(side: GroupedFeatures) -> bool:
    return side.n >= FEWEST * side.width


def _above_0(estimate: Estimate) -> Estimate:
    """No distance is below 0, and no end of its interval."""
    low, high = (None if end is None else max(0.0, end) for end in (estimate.low, estimate.high))
    return attrs.evolve(estimate, value=max(0.0, estimate.value), low=low, high=high)
