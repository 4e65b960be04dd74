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
from kinetic_metrics.jackknife import LEAST, jackknife_groups, no_interval

_WIDEST = 1024  # the jackknife costs a distance more of each subset for each group, cubic in the width


@final
@attrs.frozen(eq=False)
class FrechetInfinity(FeatureMetric):
    """a of the least-squares line FD(N) = a + b/N through the Frechet distances of random subsets of N samples.

    The Frechet distance is biased upwards by about b/N; a is free of that, to order 1/N^2. It may fall below 0.

    Value: `fd_infinity`. Interval by the jackknife of the whole fit over 20 groups of sample ids, over 10 above 512
    features, for 60 samples or more and up to 1,024 features. The interval that least squares itself gives is too
    narrow, because the subsets share samples: 95% of it held the truth in 57 to 85% of our simulations. The reference
    is held fixed: its own bias of about 1/m stays, so take m large. A note warns where the smallest subset is below ten
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
    points: int = options.integer(15, at_least=3, doc="how many subsets")
    smallest: float = options.number(0.1, above=0, below=1, doc="size of the first subset, as a share of n")
    seed: int = options.integer(0, at_least=0, doc="of the subsets")

    samples_needed = 4
    described = (
        Column(
            "fd_infinity", "Frechet distance to the reference, extrapolated to infinitely many samples.", better="lower"
        ),
    )

    def compare(self, ids: Tensor, x: Tensor, reference: Tensor) -> Score:
        target = moments(reference)
        n, width = x.shape
        draws = subsets(n, self.points, self.smallest, self.seed)
        count, first = jackknife_groups(width, _WIDEST) if n >= LEAST else 1, len(draws[0])
        groups = torch.from_numpy(evidence.groups(ids.numpy(), count))
        rest = [[rows[groups[rows] != g] for rows in draws] for g in range(count)]
        jackknifed = count > 1 and all(len(rows) > 1 for part in rest for rows in part)

        def limit(part: list[Tensor]) -> float:
            distances = [frechet_distance(*moments(x[rows]), *target) for rows in part]
            return intercept(np.array([len(rows) for rows in part]), np.array(distances))

        value = limit(draws)
        estimate = evidence.jackknife(value, list(map(limit, rest))) if jackknifed else Estimate(value)
        notes = [
            f"Frechet distance to {len(reference)} reference points, extrapolated from {len(draws)} subsets of {first} "
            f"to {n} samples, in {width} {type(self.features).__name__} features."
        ]
        if first < 10 * width:
            few = f"{first} samples are few for {width} features (below ten times)"
            notes.append(f"{few}: the line does not hold there.")
        if count < 2:
            notes.append(no_interval(n, width, _WIDEST))
        elif not jackknifed:
            why = f"without a group of samples a subset, the smallest of {first}, has fewer than 2"
            notes.append(f"No interval: {why}.")
        return Score({"fd_infinity": estimate}, notes=tuple(notes))


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
