"""Improved precision and recall, density and coverage."""

from __future__ import annotations

from typing import final

import attrs
import torch
from kinetic_features import Pixels
from torch import Tensor

from kinetic import (
    Dataset,
    FeatureSpace,
    Metric,
    Observations,
    Samples,
    Score,
    as_dataset,
    device_of,
    evidence,
    options,
)
from kinetic.errors import OptionError
from kinetic_metrics.feature_table import Found, embed_all, neighbours, observed, tables, twice

_ROWS = 2048  # points of either set at a time: a block of distances is 32 MB
_PAIRS = 2**20  # elements of differences at a time, where distances are made exact
_EDGE = 1 - 1e-12  # what is nearer to an edge than this lies on it, and not inside


@final
@attrs.frozen(eq=False)
class PRDC(Metric):
    """How far samples and reference cover each other with the balls that reach to each point's k-th neighbour.

    With R_i the L2 distance of reference point y_i to its k-th nearest other reference point, r_j that of sample x_j to
    its k-th nearest other sample, and d_ij = ||y_i - x_j|| in feature space, n samples, m reference points:

        precision  share of samples j with d_ij < R_i for some i
        recall     share of reference points i with d_ij < r_j for some j
        density    sum_ij [d_ij < R_i] / (k n); 1 is expected where the two laws are one, and more is possible
        coverage   share of reference points i with d_ij < R_i for some j
    and the same with `_denoised`, on the denoised samples (see `Samples`).
    Columns: `in_support`, whether the sample counts for precision, and `density`, its share of it.
    Intervals: Wilson's for the shares, the bootstrap over samples for density; all balls are held fixed, so that what
    few points do to the balls is not in them. Recall and coverage grow with n: compare equal n only. A note gives the
    coverage 1 - prod_{l=1..k} (m - l) / (n + m - l) that is expected where the two laws are one, and warns below 0.9.

    Where a ball's edge is near, distances are taken from the differences, so that points on it, as copies may be, are
    not inside. Memory: the features, and blocks of 2,048 x 2,048.

    Args:
        reference: data to compare with; more than k points.
        features: the space.
        k: which neighbour a ball reaches to.

    Source: Kynkaanniemi et al., arXiv 1904.06991 (precision, recall); Naeem et al., arXiv 2002.09797 (the others).
    """

    reference: Dataset = options.component("dataset", converter=as_dataset, doc="data to compare with")
    features: FeatureSpace = options.component("features", Pixels(), doc="the space")
    k: int = options.integer(5, at_least=1, doc="which neighbour a ball reaches to")

    def __attrs_post_init__(self) -> None:
        if self.k >= len(self.reference):
            most = len(self.reference) - 1
            raise OptionError(f"'k' must be an int from 1 to {most}, one below the size of 'reference': {self.k}")

    def begin(self) -> Observations:
        return Observations()

    def observe(self, state: Observations, samples: Samples) -> Observations:
        return observed(state, samples, self.features)

    def merge(self, a: Observations, b: Observations) -> Observations:
        return a.joined(b)

    def finish(self, state: Observations) -> Score:
        theirs = embed_all(self.features, self.reference)
        ids, x, denoised = tables(state, self.k + 1, theirs)
        place = device_of(self.features) or torch.device("cpu")
        reach = radii(theirs, self.k, place)

        def judge(features: Tensor) -> Found:
            counts, covered, recalled = overlaps(theirs, reach, features, radii(features, self.k, place), place)
            inside, density = counts > 0, counts.double() / self.k
            values = {
                "precision": evidence.proportion(inside.double().numpy()),
                "recall": evidence.proportion(recalled.double().numpy()),
                "density": evidence.mean(density.numpy()),
                "coverage": evidence.proportion(covered.double().numpy()),
            }
            return values, {"in_support": inside, "density": density}

        values, columns = twice(x, denoised, judge)
        n, m = len(x), len(theirs)
        expected = expected_coverage(n, m, self.k)
        notes = [
            f"Precision, recall, density and coverage of {n} samples against {m} reference points, k = {self.k}, in "
            f"{x.shape[1]} {type(self.features).__name__} features.",
            f"Were both of one law, coverage would be {expected:.3f}.",
        ]
        if expected < 0.9:
            notes.append(f"{n} samples are few for {m} reference points: recall and coverage are low for that alone.")
        return Score(values, ids, columns, tuple(notes))


def expected_coverage(n: int, m: int, k: int) -> float:
    """The coverage of m points by n of the same continuous law, 1 - prod_{l=1..k} (m - l) / (n + m - l).

    Source: Naeem et al., arXiv 2002.09797.
    """
    missed = 1.0
    for rank in range(1, k + 1):
        missed *= (m - rank) / (n + m - rank)
    return 1 - missed


def radii(points: Tensor, k: int, place: torch.device) -> Tensor:
    """The L2 distance of each of `(n, f)` points to its k-th nearest other one, float64 `(n,)` on the CPU."""
    distances, _ = neighbours(points, points, k + 1, place)  # the point itself, or its equal, is one of them
    return distances[:, k]


def overlaps(
    y: Tensor, y_reach: Tensor, x: Tensor, x_reach: Tensor, place: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Who lies in whose ball, block by block, with d_ij = ||y_i - x_j||.

    Args:
        y, y_reach: `(m, f)` and radii `(m,)`.
        x, x_reach: `(n, f)` and radii `(n,)`.
        place: where to compute.
    Returns:
        int64 `(n,)`, how many i have d_ij < y_reach_i; bool `(m,)`, whether any j has; bool `(m,)`, whether any j has
        d_ij < x_reach_j.
    """
    counts = torch.zeros(len(x), dtype=torch.int64)
    covered, recalled = torch.zeros(2, len(y), dtype=torch.bool)
    for i in range(0, len(y), _ROWS):
        ours = y[i : i + _ROWS].to(place).double()
        mine = y_reach[i : i + _ROWS, None].to(place) * _EDGE
        for j in range(0, len(x), _ROWS):
            others = x[j : j + _ROWS].to(place).double()
            yours = x_reach[None, j : j + _ROWS].to(place) * _EDGE
            distance = _distances(ours, others, mine, yours)
            inside = distance < mine
            counts[j : j + _ROWS] += inside.sum(0).cpu()
            covered[i : i + _ROWS] |= inside.any(1).cpu()
            recalled[i : i + _ROWS] |= (distance < yours).any(1).cpu()
    return counts, covered, recalled


def _distances(a: Tensor, b: Tensor, *edges: Tensor) -> Tensor:
    """L2 distances `(m, n)` by the expanded square; by differences where rounding could take one across an edge."""
    norms = a.square().sum(1)[:, None] + b.square().sum(1)
    squares = (norms - 2 * a @ b.T).clamp_min(0)
    doubt = norms * (8 * (a.shape[1] + 8) * torch.finfo(torch.float64).eps)
    near = torch.zeros_like(squares, dtype=torch.bool)
    for edge in edges:
        near |= (squares - edge.square()).abs() <= doubt
    distance = squares.sqrt()
    rows, columns = near.nonzero(as_tuple=True)
    size = max(1, _PAIRS // max(1, a.shape[1]))
    for i, j in zip(rows.split(size), columns.split(size), strict=True):
        distance[i, j] = _exact(a[i], b[j])
    return distance


def _exact(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).square().sum(1).sqrt()
