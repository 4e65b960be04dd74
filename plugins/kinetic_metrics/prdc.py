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
from kinetic_metrics.balls import Balls, Overlaps, overlaps
from kinetic_metrics.data_options import dataset, up_to_size
from kinetic_metrics.jackknife import LEAST, over_both


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
    scores. Without a group of reference points balls of the density grow, to first order; of the shares none is
    measured anew without a group, which makes their intervals rather wide. Intervals are of the expectation at this n
    and m. Recall and coverage grow with n: compare equal n only. A note gives the coverage
    1 - prod_{l=1..k} (m - l) / (n + m - l) that is expected where the two laws are one, and warns below 0.9.

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
        theirs = Balls.of(reference, torch.from_numpy(evidence.groups(np.arange(m))), self.k, self.device)
        mine = Balls.of(x, torch.from_numpy(evidence.groups(ids.numpy())), self.k, self.device)
        found = overlaps(theirs, mine, self.device)
        counts = found.counts.sum(1)
        columns = {"in_support": counts > 0, "density": counts.double() / self.k}
        means = self.means(columns)
        values = {
            "precision": means["precision"],
            "recall": _share(found.recalled, n),
            "density": means["density"],
            "coverage": _share(found.covered, n),
        }
        if min(n, m) >= LEAST:
            values = _with_both(values, columns, mine.groups, _without_reference(found, theirs, self.k))
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
        flat, equal = (int((radius == 0).sum()) for radius in (theirs.radii, mine.radii))
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


def _without_reference(found: Overlaps, balls: Balls, k: int) -> dict[str, NDArray[np.float64]]:
    """Each score without each group of reference points.

    Of the others' balls those whose centres lose neighbours grow: one that loses b of k holds to first order
    c + b (c' - c) samples, c' being how many the wider one holds. Of the shares no ball is measured anew.
    """
    n, m = len(found.counts), len(balls.groups)
    of_group = torch.nn.functional.one_hot(balls.groups, evidence.GROUPS).double()
    left = m - of_group.sum(0)

    def share(held: Tensor) -> Tensor:
        hit = held.any(1).double()
        return (hit.sum() - hit @ of_group) / left

    more = (found.held_wider - found.held)[:, None] * balls.near
    grown = (found.held[:, None] + more).double() * (1 - of_group)
    scores = {
        "precision": (found.counts.sum(1, keepdim=True) > found.counts).double().mean(0),
        "recall": share(found.recalled),
        "density": grown.sum(0) / (k * n),
        "coverage": share(found.covered),
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
