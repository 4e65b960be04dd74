"""Improved precision and recall, density and coverage."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import final

import attrs
import numpy as np
import torch
from kinetic_features import Pixels
from numpy.typing import NDArray
from torch import Tensor

from kinetic import Column, Dataset, Estimate, FeatureMetric, FeatureSpace, Score, evidence, options
from kinetic.errors import OptionError
from kinetic.precision import full_precision
from kinetic_metrics.data_options import dataset, up_to_size
from kinetic_metrics.expanded import CROWDED, PAIRS, Centred, Scratch, error, products
from kinetic_metrics.jackknife import LEAST, over_both
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
    60 samples or more, unless no group matters, as at 0 and often at 1. Differences between arms are over draws of the
    reference too, by the jackknife over 20 groups of each, for 60 points or more; notes give such intervals of the
    scores. No ball is measured anew without a group: it is known that points are gone, not that their neighbours' balls
    would be larger. Intervals are of the expectation at this n and m. Recall and coverage grow with n: compare equal n
    only. A note gives the coverage 1 - prod_{l=1..k} (m - l) / (n + m - l) that is expected where the two laws are one,
    and warns below 0.9.

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
        Column(
            "in_support", "Whether a sample is inside a ball.", "label", better="higher", main=False, mean="precision"
        ),
    )

    def compare(self, ids: Tensor, x: Tensor, reference: Tensor) -> Score:
        n, m, width = len(x), len(reference), x.shape[1]
        if n <= self.k:
            raise OptionError(f"this score needs {self.k + 1} samples or more, as 'k' is {self.k}: {n}")
        reach, mine = (radii(some, self.k, self.device) for some in (reference, x))
        groups = torch.from_numpy(evidence.groups(ids.numpy()))
        theirs = torch.from_numpy(evidence.groups(np.arange(m)))
        counts, covered, recalled = overlaps(reference, reach, theirs, x, mine, groups, self.device)
        columns = {"in_support": counts.sum(1) > 0, "density": counts.sum(1).double() / self.k}
        means = self.means(columns)
        values = {
            "precision": means["precision"],
            "recall": _share(recalled, n),
            "density": means["density"],
            "coverage": _share(covered, n),
        }
        if min(n, m) >= LEAST:
            values = _with_both(values, columns, groups, _without_reference(counts, covered, recalled, theirs, self.k))
        expected = expected_coverage(n, m, self.k)
        notes = [
            f"Precision, recall, density and coverage of {n} samples against {m} reference points, k = {self.k}, in "
            f"{width} {type(self.features).__name__} features.",
            f"Were both of one law, coverage would be {expected:.3f}.",
        ]
        if expected < 0.9:
            notes.append(f"{n} samples are few for {m} reference points: recall and coverage are low for that alone.")
        for name, estimate in values.items():
            notes += over_both(estimate, name, 0.0, math.inf if name == "density" else 1.0)
        flat, equal = (int((radius == 0).sum()) for radius in (reach, mine))
        if flat or equal:
            notes.append(
                f"{flat} of {m} reference points and {equal} of {n} samples have {self.k} or more others equal to "
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
    y: Tensor,
    y_reach: Tensor,
    y_groups: Tensor,
    x: Tensor,
    x_reach: Tensor,
    groups: Tensor,
    device: torch.device,
) -> tuple[Tensor, Tensor, Tensor]:
    """Who lies in whose ball, block by block, with d_ij = ||y_i - x_j||.

    Args:
        y, y_reach, y_groups: `(m, f)`, radii `(m,)` and jackknife groups int64 `(m,)`.
        x, x_reach, groups: `(n, f)`, radii `(n,)` and jackknife groups int64 `(n,)`.
        device: where to compute.
    Returns:
        int64 `(n, GROUPS)`, how many i of the group have d_ij < y_reach_i; bool `(m, GROUPS)`, whether any j of the
        group has; bool `(m, GROUPS)`, whether any j of the group has d_ij < x_reach_j.
    """
    counts = torch.zeros(len(x), evidence.GROUPS, dtype=torch.int64)
    member = torch.nn.functional.one_hot(y_groups, evidence.GROUPS).float().to(device)
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
                counts[these] += (inside.T.float() @ member[those]).long().cpu()  # below 2^24: exact
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


def _without_reference(
    counts: Tensor, covered: Tensor, recalled: Tensor, groups: Tensor, k: int
) -> dict[str, NDArray[np.float64]]:
    """Each score without each group of reference points `(m,)`, the balls of the others as they are.

    Balls grow where points are left out, so that the density of one law stays at 1: it is over the share that is left.
    """
    n, m = len(counts), len(groups)
    left = m - torch.bincount(groups, minlength=evidence.GROUPS)
    all_of = counts.sum(1, keepdim=True)
    of_group = torch.nn.functional.one_hot(groups, evidence.GROUPS).double()

    def share(held: Tensor) -> Tensor:
        hit = held.any(1).double()
        return (hit.sum() - hit @ of_group) / left

    scores = {
        "precision": (all_of > counts).double().mean(0),
        "recall": share(recalled),
        "density": (all_of - counts).double().sum(0) / (k * n) * m / left,
        "coverage": share(covered),
    }
    return {name: column.numpy() for name, column in scores.items()}


def _with_both(
    values: Mapping[str, Estimate],
    columns: Mapping[str, Tensor],
    groups: Tensor,
    without_reference: Mapping[str, NDArray[np.float64]],
) -> dict[str, Estimate]:
    """The same with leave-out values over samples, where a column has the score's parts, and over the reference."""
    parts = {"precision": columns["in_support"].double(), "density": columns["density"]}
    of_group = torch.nn.functional.one_hot(groups, evidence.GROUPS).double()
    left = len(groups) - of_group.sum(0)
    means = {name: ((part.sum() - part @ of_group) / left).numpy() for name, part in parts.items()}
    return {
        name: attrs.evolve(
            value,
            leave_out=means.get(name, value.leave_out),
            leave_out_reference=without_reference[name],
            unbiased=value.value,
        )
        for name, value in values.items()
    }
