"""The Frechet distance extrapolated to infinitely many samples."""

from __future__ import annotations

from typing import final

import attrs
import numpy as np
import torch
from kinetic_features import Pixels
from numpy.typing import NDArray
from torch import Tensor

from kinetic import Column, Dataset, Estimate, FeatureMetric, FeatureSpace, Score, evidence, options
from kinetic_metrics.data_options import dataset
from kinetic_metrics.gaussians import frechet_distance, moments
from kinetic_metrics.jackknife import FEWEST, LEAST, jackknife_groups, no_interval, over_both

_LINEAR = 30  # times the width: of fewer samples the extrapolation is off by more than its interval
_WIDEST = 1024  # the jackknife costs a distance more of each subset for each group, cubic in the width


@final
@attrs.frozen(eq=False)
class FrechetInfinity(FeatureMetric):
    """a of the least-squares line FD(N) = a + b/N through the Frechet distances of random subsets of N samples.

    The Frechet distance is biased upwards by about b/N; a is free of that, to order 1/N^2. It may fall below 0.

    Value: `fd_infinity`. Interval by the jackknife of the whole fit over 20 groups of sample ids, over 10 above 512
    features, for 60 samples or more, for 30 times the width or more, below which what is left of the bias exceeds it,
    and up to 1,024 features. The interval that least squares itself gives is too narrow, because the subsets share
    samples: 95% of it held the truth in 57 to 85% of our simulations. The reference is held fixed: its own bias of
    about 1/m stays, so take m large. With four times the width or more that bias is taken off by halves of the
    reference, and the jackknife over groups of its points gives the interval over draws of it as well, in a note; so
    are differences between arms, and with fewer there are none. A note warns where the smallest subset is below ten
    times the width: there FD is no line in 1/N. The subsets go by ids: arms of a run share them, and their differences
    are paired.

    Args:
        reference: data to compare with, best none that the model was trained on; 2 points or more.
        features: the space; `inception` makes this the FID_infinity, with random subsets.
        points: how many subsets; their sizes are equally spaced up to n, which is the last.
        smallest: size of the first subset, as a share of n.
        seed: of the subsets.

    Source: Chong & Forsyth, Effectively Unbiased FID and Inception Score, arXiv 1911.07023, with their 15 points.
    """

    reference: Dataset = dataset("data to compare with", at_least=2)
    features: FeatureSpace = options.component(FeatureSpace, Pixels(), doc="the space")
    points: int = options.integer(15, at_least=3, at_most=1000, doc="how many subsets")
    smallest: float = options.number(0.1, above=0, below=1, doc="size of the first subset, as a share of n")
    seed: int = options.integer(0, at_least=0, doc="of the subsets")

    samples_needed = 4
    described = (
        Column(
            "fd_infinity", "Frechet distance to the reference, extrapolated to infinitely many samples.", better="lower"
        ),
    )

    def compare(self, ids: Tensor, x: Tensor, reference: Tensor) -> Score:
        n, width = x.shape
        draws = subsets(n, self.points, self.smallest, self.seed)
        first = len(draws[0])
        notes = [
            f"Frechet distance to {len(reference)} reference points, extrapolated from {len(draws)} subsets of {first} "
            f"to {n} samples, in {width} {type(self.features).__name__} features."
        ]
        if first < 10 * width:
            few = f"{first} samples are few for {width} features (below ten times)"
            notes.append(f"{few}: the line does not hold there.")
        fit = _Fit(x, draws)
        value = fit.limit(moments(reference))
        count = jackknife_groups(width, _WIDEST)
        groups = evidence.groups(ids.numpy(), count)
        if n < LEAST or count < 2:
            return Score({"fd_infinity": Estimate(value)}, notes=(*notes, no_interval(n, width, _WIDEST)))
        if n < _LINEAR * width:
            why = f"No interval: {n} samples, below {_LINEAR} times the {width} features, from where on it holds."
            return Score({"fd_infinity": Estimate(value)}, notes=(*notes, why))
        if any(len(rows) < 2 for g in range(count) for rows in fit.without(groups == g).draws):
            why = f"No interval: without a group of samples a subset, the smallest of {first}, has fewer than 2."
            return Score({"fd_infinity": Estimate(value)}, notes=(*notes, why))
        estimate = _estimate(value, fit, groups, reference, count)
        return Score({"fd_infinity": estimate}, notes=(*notes, *over_both(estimate)))


@attrs.frozen(eq=False)
class _Fit:
    """Samples `(n, f)` and the rows of each subset of them."""

    x: Tensor
    draws: list[Tensor]

    def without(self, gone: NDArray[np.bool_]) -> _Fit:
        """The same without some of the samples, `(n,)`."""
        kept = torch.from_numpy(~gone)
        return _Fit(self.x, [rows[kept[rows]] for rows in self.draws])

    def limit(self, *targets: tuple[Tensor, Tensor]) -> float:
        """The end of the line to a Gaussian; to several, the mean of their ends."""
        fits = [moments(self.x[rows]) for rows in self.draws]
        distances = np.array([[frechet_distance(*fit, *target) for fit in fits] for target in targets]).mean(0)
        return intercept(np.array([len(rows) for rows in self.draws]), distances)


def _estimate(value: float, fit: _Fit, groups: NDArray[np.int64], reference: Tensor, count: int) -> Estimate:
    """With the jackknife over samples, and over the reference where it is large enough to take its own bias off.

    That is about c/m, and comes off as 2 a(m) - mean a(m/2). Where it does not, no difference would hold the truth.
    """
    target = moments(reference)
    given = evidence.jackknife(value, [fit.without(groups == g).limit(target) for g in range(count)])
    m, width = reference.shape
    if m < max(LEAST, FEWEST * width):
        return attrs.evolve(given, leave_out=None)
    theirs = torch.from_numpy(evidence.groups(np.arange(m), count))
    halves = fit.limit(*(moments(reference[(theirs * 2 < count) == half]) for half in (True, False)))
    left = np.array([fit.limit(moments(reference[theirs != g])) for g in range(count)])
    return attrs.evolve(given, leave_out_reference=left, unbiased=2 * value - halves)


def subsets(n: int, points: int, smallest: float, seed: int) -> list[Tensor]:
    """Rows of random subsets of n >= 4 samples, drawn without replacement; equally spaced sizes, all different."""
    rng = np.random.default_rng(seed)
    first = min(max(2, int(smallest * n)), n - 1)
    sizes = np.unique(np.linspace(first, n, points).astype(np.int64))
    return [torch.from_numpy(rng.permutation(n)[:size]) for size in sizes]


def intercept(sizes: NDArray[np.int64], distances: NDArray[np.float64]) -> float:
    """a of the least-squares line distances = a + b / sizes, `(points,)` each."""
    inverse = 1 / sizes
    about = inverse - inverse.mean()
    slope = float(about @ distances / (about @ about))
    return float(distances.mean() - slope * inverse.mean())
