"""Improved precision and recall, density and coverage."""

from __future__ import annotations

from typing import final

import attrs
import numpy as np
import torch
from kinetic_features import Pixels
from torch import Tensor

from kinetic import Column, Dataset, Estimate, FeatureMetric, FeatureSpace, Score, evidence, options
from kinetic.errors import OptionError
from kinetic.precision import full_precision
from kinetic_metrics.data_options import dataset, up_to_size
from kinetic_metrics.expanded import CROWDED, PAIRS, Centred, Scratch, error, products
from kinetic_metrics.jackknife import LEAST
from kinetic_metrics.nearest import neighbours

_ROWS = 2048  # points of either set at a time: a block of distances is 32 MB
_EDGE = 1 - 1e-12  # what is nearer to an edge than this lies on it, and not inside


@final
@attrs.frozen(eq=False)
class PRDC(FeatureMetric):
    """How far samples and reference cover each other with the balls that reach to each point's k-th neighbour.

    With R_i the L2 distance of reference point y_i to its k-th nearest other reference point, r_j that of sample x_j to
    its k-th nearest other sample, and d_ij = ||y_i - x_j|| in feature space, n samples, m reference points:

        precision  share of samples j with d_ij < R_i for some i
        recall     share of reference points i with d_ij < r_j for some j
        density    sum_ij [d_ij < R_i] / (k n); 1 is expected where the two laws are one, and more is possible
        coverage   share of reference points i with d_ij < R_i for some j
    Columns: `in_support`, whether the sample counts for precision, and `density`, its share of it.
    Intervals, with the reference held fixed: Wilson's for precision, the bootstrap over samples for density, and for
    recall and coverage, which a sample changes for many points at once, the jackknife over 20 groups of sample ids, for
    60 samples or more, unless no group matters, as at 0 and often at 1. No ball is measured anew without a group, which
    makes the interval of recall rather wide. Recall and coverage grow with n: compare equal n only. A note gives the
    coverage 1 - prod_{l=1..k} (m - l) / (n + m - l) that is expected where the two laws are one, and warns below 0.9.

    Products in the type of the features, about the mean of the reference, decide wherever their rounding cannot; near
    a ball's edge differences in float64 do, so that points on it, as copies may be, are not inside. Memory: the
    features, and blocks of 2,048 x 2,048.

    Args:
        reference: data to compare with; more than k points.
        features: the space.
        k: which neighbour a ball reaches to.

    Source: Kynkaanniemi et al., arXiv 1904.06991 (precision, recall); Naeem et al., arXiv 2002.09797 (the others).
    """

    reference: Dataset = dataset("data to compare with")
    features: FeatureSpace = options.component(FeatureSpace, Pixels(), doc="the space")
    k: int = up_to_size("reference", 5, but=1, doc="which neighbour a ball reaches to")

    described = (
        Column("precision", "Share of samples inside the balls of reference points.", better="higher"),
        Column("recall", "Share of reference points inside the balls of samples.", better="higher"),
        Column("density", "How many balls a sample is inside of, over k; 1 is expected of one law.", better="higher"),
        Column("coverage", "Share of reference points with a sample in their ball.", better="higher"),
        Column("in_support", "Whether a sample is inside a ball.", kind="label", better="higher", main=False),
    )

    def compare(self, ids: Tensor, x: Tensor, reference: Tensor) -> Score:
        n, m, width = len(x), len(reference), x.shape[1]
        if n <= self.k:
            raise OptionError(f"this score needs {self.k + 1} samples or more, as 'k' is {self.k}: {n}")
        reach, mine = (radii(some, self.k, self.device) for some in (reference, x))
        groups = torch.from_numpy(evidence.groups(ids.numpy()))
        counts, covered, recalled = overlaps(reference, reach, x, mine, groups, self.device)
        columns = {"in_support": counts > 0, "density": counts.double() / self.k}
        means = self.means(columns)
        values = {
            "precision": means["in_support"],
            "recall": _share(recalled, n),
            "density": means["density"],
            "coverage": _share(covered, n),
        }
        expected = expected_coverage(n, m, self.k)
        notes = [
            f"Precision, recall, density and coverage of {n} samples against {m} reference points, k = {self.k}, in "
            f"{width} {type(self.features).__name__} features.",
            f"Were both of one law, coverage would be {expected:.3f}.",
        ]
        if expected < 0.9:
            notes.append(f"{n} samples are few for {m} reference points: recall and coverage are low for that alone.")
        theirs, ours = (int((radius == 0).sum()) for radius in (reach, mine))
        if theirs or ours:
            notes.append(
                f"{theirs} of {m} reference points and {ours} of {n} samples have {self.k} or more others equal to "
                "them: their balls have radius 0 and nothing inside."
            )
        return Score(values, ids, columns, tuple(notes))


def expected_coverage(n: int, m: int, k: int) -> float:
    """The coverage of m points by n of the same continuous law, 1 - prod_{l=1..k} (m - l) / (n + m - l).

    Source: Naeem et al., arXiv 2002.09797.
    """
    missed = 1.0
    for rank in range(1, k + 1):
        missed *= (m - rank) / (n + m - rank)
    return 1 - missed


def radii(points: Tensor, k: int, device: torch.device) -> Tensor:
    """The L2 distance of each of `(n, f)` points to its k-th nearest other one, float64 `(n,)` on the CPU."""
    distances, _ = neighbours(points, points, k + 1, device)  # the point itself, or its equal, is one of them
    return distances[:, k]


def overlaps(
    y: Tensor, y_reach: Tensor, x: Tensor, x_reach: Tensor, groups: Tensor, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Who lies in whose ball, block by block, with d_ij = ||y_i - x_j||.

    Args:
        y, y_reach: `(m, f)` and radii `(m,)`.
        x, x_reach: `(n, f)` and radii `(n,)`.
        groups: int64 `(n,)`, the jackknife group of each x.
        device: where to compute.
    Returns:
        int64 `(n,)`, how many i have d_ij < y_reach_i; bool `(m, GROUPS)`, whether any j of the group has; bool
        `(m, GROUPS)`, whether any j of the group has d_ij < x_reach_j.
    """
    counts = torch.zeros(len(x), dtype=torch.int64)
    covered, recalled = torch.zeros(2, len(y), evidence.GROUPS, dtype=torch.bool)
    y_edges, x_edges = ((reach * _EDGE).square() for reach in (y_reach, x_reach))
    centre = y.mean(0, dtype=torch.float64).to(device)
    dtype = torch.promote_types(torch.promote_types(x.dtype, y.dtype), torch.float32)
    scratch = Scratch()
    with full_precision(device):
        for i in range(0, len(y), _ROWS):
            those = slice(i, i + _ROWS)
            ours = Centred.of(y[those].to(device), centre, dtype, scratch, "reference")
            for j in range(0, len(x), _ROWS):
                these = slice(j, j + _ROWS)
                others = Centred.of(x[these].to(device), centre, dtype, scratch, "samples")
                edges = y_edges[those, None].to(device), x_edges[None, these].to(device)
                inside, reached = _inside(ours, others, edges, centre, scratch)
                counts[these] += inside.sum(0).cpu()
                _mark(covered[those], inside, groups[these])
                _mark(recalled[those], reached, groups[these])
    return counts, covered, recalled


def _inside(
    a: Centred, b: Centred, edges: tuple[Tensor, Tensor], centre: Tensor, scratch: Scratch
) -> tuple[Tensor, Tensor]:
    """Whether d_ij^2 is below each of two edges, float64 `(m, 1)` of a and `(1, n)` of b; bool `(m, n)` each.

    Pairs that the error of the expanded square could take across an edge are measured from their differences in
    float64. Where they are many, the products are made again in float64 first.
    """
    dtype, f = a.about.dtype, a.about.shape[1]
    squares = products(a, b, scratch).add_(a.squares.to(dtype)[:, None])
    slack = error(a.squares.max().sqrt() + b.squares.max().sqrt(), f, dtype)
    mine, yours = (squares < edge.to(dtype) for edge in edges)
    near = torch.zeros_like(mine)
    for edge in edges:
        near |= ~((squares - edge.to(dtype)).abs() > slack)  # NaN, of an overflow, is near too
    rows, columns = near.nonzero(as_tuple=True)
    if len(rows) > near.numel() // CROWDED and dtype != torch.float64:
        again = Scratch()
        exact = [Centred.of(side.points, centre, torch.float64, again, name) for side, name in ((a, "a"), (b, "b"))]
        return _inside(exact[0], exact[1], edges, centre, again)
    for i, j in zip(*(index.split(max(1, PAIRS // max(1, f))) for index in (rows, columns)), strict=True):
        distance = (a.points[i].double() - b.points[j].double()).square().sum(1)
        mine[i, j], yours[i, j] = distance < edges[0][i, 0], distance < edges[1][0, j]
    return mine, yours


def _mark(held: Tensor, pairs: Tensor, groups: Tensor) -> None:
    """Set `held` `(m, GROUPS)` where a pair `(m, n)` of a column of the group `(n,)` is true."""
    rows, columns = pairs.nonzero(as_tuple=True)
    held[rows.cpu(), groups[columns.cpu()]] = True


def _share(held: Tensor, n: int) -> Estimate:
    """The share of points that some of n samples hold, by group `(m, GROUPS)`, and without each group."""
    by = held.sum(1, keepdim=True)
    value = float((by > 0).double().mean())
    if n < LEAST:
        return Estimate(value)
    without = (by - held.long() > 0).double().mean(0).numpy()
    share = evidence.jackknife(value, without)
    if share.low is None or share.high is None or np.ptp(without) == 0:  # 0 or 1 in every group: no width, no certainty
        return Estimate(value, leave_out=without)
    return attrs.evolve(share, low=max(0.0, share.low), high=min(1.0, share.high))
