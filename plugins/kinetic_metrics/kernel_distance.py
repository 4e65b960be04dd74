"""The kernel distance in a feature space; with Inception features, the KID."""

from __future__ import annotations

from typing import final

import attrs
import numpy as np
import torch
from kinetic_features import Pixels
from torch import Tensor

from kinetic import Column, Dataset, Estimate, FeatureMetric, FeatureSpace, Score, evidence, options
from kinetic_metrics.data_options import dataset
from kinetic_metrics.jackknife import LEAST, over_both


@final
@attrs.frozen(eq=False)
class KernelDistance(FeatureMetric):
    """Unbiased MMD^2 of samples and reference with the kernel k(x, y) = (<x, y>/f + 1)^3, a mean over random subsets.

    For subsets x, y of m each, sum_{i != j} [k(x_i, x_j) + k(y_i, y_j)] / (m (m - 1)) - 2 sum_{ij} k(x_i, y_j) / m^2.

    Value: `kid`, below 0 at times, since it is unbiased. Interval by the jackknife over 20 groups of sample ids,
    subsets and reference held fixed; for 60 samples or more. For 60 reference points or more the interval over draws of
    them as well, by the jackknife over 20 groups of their indices, is in a note, and differences between arms have it.
    The subsets are those torch-fidelity draws with the same seed, samples in the order of their ids: arms of a run
    share them, and their differences are paired. Samples numbered otherwise have other subsets, a difference the
    interval covers. A subset size above n or the size of the reference is lowered to it, and noted.

    Args:
        reference: data to compare with, best none that the model was trained on; 2 points or more.
        features: the space; `inception` makes this the KID.
        subsets: how many.
        subset_size: m.
        seed: of the subsets.

    Source: Binkowski et al., Demystifying MMD GANs, arXiv 1801.01401.
    """

    reference: Dataset = dataset("data to compare with", at_least=2)
    features: FeatureSpace = options.component(FeatureSpace, Pixels(), doc="the space")
    subsets: int = options.integer(100, at_least=1, at_most=10**5, doc="how many subsets")
    subset_size: int = options.integer(1000, at_least=2, doc="points of each set in a subset")
    seed: int = options.integer(2020, at_least=0, at_most=2**32 - 1, doc="of the subsets")
    described = (
        Column("kid", "Kernel distance to the reference, unbiased: the mean over random subsets.", better="lower"),
    )

    def compare(self, ids: Tensor, x: Tensor, reference: Tensor) -> Score:
        n, m = len(x), len(reference)
        size = min(self.subset_size, n, m)
        draws = subset_pairs(n, m, size, self.subsets, self.seed)
        groups = torch.from_numpy(evidence.groups(ids.numpy()))
        notes = [
            f"KID of {n} samples to {m} reference points, in {x.shape[1]} {type(self.features).__name__} features: "
            f"mean over {self.subsets} subsets of {size}."
        ]
        if size < self.subset_size:
            notes.append(f"'subset_size' {self.subset_size} was lowered to {size}, the points there are.")
        estimate = _estimate(x, reference, draws, groups)
        return Score({"kid": estimate}, notes=(*notes, *over_both(estimate)))


def poly_kernel(x: Tensor, y: Tensor) -> Tensor:
    """(<x, y>/f + 1)^3 of every pair of `(n, f)` and `(m, f)`, float64 `(n, m)`."""
    return (x.double() @ y.double().T / x.shape[1] + 1) ** 3


def poly_mmd(x: Tensor, y: Tensor) -> float:
    """Unbiased MMD^2 with `poly_kernel` of `(n, f)` and `(m, f)`, n and m at least 2, in float64."""
    n, m = len(x), len(y)
    within = _off_diagonal(poly_kernel(x, x)) / (n * (n - 1)) + _off_diagonal(poly_kernel(y, y)) / (m * (m - 1))
    return within - 2 * float(poly_kernel(x, y).mean())


def subset_pairs(n: int, m: int, size: int, count: int, seed: int) -> list[tuple[Tensor, Tensor]]:
    """Row indices `(size,)` of the samples and of the reference in each subset, as torch-fidelity 0.4 draws them."""
    rng = np.random.RandomState(seed)
    drawn = [[torch.from_numpy(rng.choice(k, size, replace=False)) for k in (n, m)] for _ in range(count)]
    return [(mine, theirs) for mine, theirs in drawn]


def _off_diagonal(kernel: Tensor) -> float:
    return float(kernel.sum() - kernel.trace())


def _estimate(x: Tensor, y: Tensor, draws: list[tuple[Tensor, Tensor]], groups: Tensor) -> Estimate:
    """The mean over subsets, as it is and without each group of either side: sums of the kernel by group give all."""
    theirs = torch.from_numpy(evidence.groups(np.arange(len(y))))
    by_sample, by_point = torch.stack([_without_each(x[i], y[j], groups[i], theirs[j]) for i, j in draws]).mean(0)
    value = float(by_sample[0])
    if len(x) < LEAST or not bool(torch.isfinite(by_sample).all()):
        return Estimate(value)
    given = evidence.jackknife(value, by_sample[1:].numpy())
    if len(y) < LEAST or not bool(torch.isfinite(by_point).all()):
        return given
    return attrs.evolve(given, leave_out_reference=by_point[1:].numpy(), unbiased=value)


def _without_each(x: Tensor, y: Tensor, mine: Tensor, theirs: Tensor) -> Tensor:
    """MMD^2 of one subset, as it is and then without each group, of x in the first row and of y in the second."""
    ours, others = (torch.nn.functional.one_hot(groups, evidence.GROUPS).double() for groups in (mine, theirs))
    (of_x, left), (of_y, remaining) = _within(poly_kernel(x, x), ours), _within(poly_kernel(y, y), others)
    kernel = poly_kernel(x, y)
    rows, columns = ours.T @ kernel.sum(1), others.T @ kernel.sum(0)
    by_sample = of_x + of_y[0] - 2 * (kernel.sum() - _lost(rows)) / (left * len(y))
    by_point = of_x[0] + of_y - 2 * (kernel.sum() - _lost(columns)) / (len(x) * remaining)
    return torch.stack([by_sample, by_point])


def _within(kernel: Tensor, member: Tensor) -> tuple[Tensor, Tensor]:
    """The mean over pairs of different points, and how many points are left: of all, and without each group."""
    blocks = member.T @ (kernel - kernel.diag().diag()) @ member
    left = len(kernel) - _lost(member.sum(0))
    return (blocks.sum() - _lost(2 * blocks.sum(1) - blocks.diag())) / (left * (left - 1)), left


def _lost(column: Tensor) -> Tensor:
    """First nothing, then what each group takes with it."""
    return torch.cat([column.new_zeros(1), column])
