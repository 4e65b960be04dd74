"""The data-copying test C_T: do samples lie nearer to the training data than held-out data do?"""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import attrs
import numpy as np
import torch
from kinetic_features import Pixels
from numpy.typing import NDArray
from torch import Tensor

from kinetic import Column, Dataset, Estimate, FeatureMetric, FeatureSpace, Score, evidence, options
from kinetic.errors import OptionError
from kinetic_metrics.data_options import dataset, held_out_dataset, up_to_size
from kinetic_metrics.jackknife import LEAST
from kinetic_metrics.nearest import neighbours

Array = NDArray[np.float64]
Cells = NDArray[np.int32]


@final
@attrs.frozen(eq=False)
class DataCopying(FeatureMetric):
    """C_T, the Z-score of the samples' distances to the training data against those of held-out data.

    In a cell with n samples and m held-out points, U counts the pairs in which the sample is further (L2, in feature
    space) from its nearest training point of the cell than the held-out point is, equal ones half, and
    Z = (U - nm/2) / sqrt(nm/12 (N + 1 - sum (t^3 - t)/(N (N - 1)))), N = n + m, t the numbers of equal distances. C_T
    is the mean of Z over cells, weighed by their held-out points; with one cell it is Z. For new data of the training
    law Z is about normal about 0 with sd 1, so that below -3 says copying, above 3 that the samples are further off
    than they should be. With cells of weights w the sd of C_T is sqrt(sum w^2) instead, 1/sqrt(c) for c equal ones; a
    note says what it is, and where three of it lie.

    Value: `ct`; leftover noise hides copies. Interval: normal, with the variance of U under any two laws (DeLong),
    cells held fixed. One more point below all others and one above all are added to each side of the variance, lest it
    be 0 where every sample is a copy, and the ends are no further than Z can be. Differences between arms by the
    jackknife over 20 groups of sample ids. |C_T| grows with n and m: compare equal n.

    Args:
        train: the data the model was trained on.
        held_out: data of the same law that it was not trained on. Must be given.
        features: the space. The source uses few dimensions.
        cells: how many, by k-means of the training data; 1 for none.
        least: with cells, one counts if it has more samples than this.
        seed: of k-means.

    Source: Meehan, Chaudhuri & Dasgupta, A Non-Parametric Test to Detect Data-Copying in Generative Models,
    arXiv 2004.05675, with the distances taken inside the cell as in the authors' code, but not its shift of U by 1/2;
    DeLong et al., Biometrics 44 (1988); the added points after Agresti & Coull, The American Statistician 52 (1998).
    """

    train: Dataset = dataset("what the model was trained on")
    held_out: Dataset = held_out_dataset()
    features: FeatureSpace = options.component(FeatureSpace, Pixels(), doc="the space")
    cells: int = up_to_size("train", 1, doc="how many, by k-means of the training data; 1 for none")
    least: int = options.integer(20, at_least=0, doc="with cells, one counts if it has more samples than this")
    seed: int = options.integer(0, at_least=0, at_most=2**32 - 1, doc="of k-means")

    described = (
        Column("ct", "Z-score of distances to the training data; below -3 samples are nearer than held-out data are."),
    )

    def compare(self, ids: Tensor, x: Tensor, train: Tensor, held_out: Tensor) -> Score:
        cell_of = self._cells(train)
        train_cell, held_cell, cell = cell_of(train), cell_of(held_out), cell_of(x)
        theirs = _within_cells(held_out, held_cell, train, train_cell, self.device)
        mine = _within_cells(x, cell, train, train_cell, self.device)
        least = self.least if self.cells > 1 else 0
        chosen = [c for c in range(self.cells) if (held_cell == c).any() and (cell == c).sum() > least]
        if not chosen:
            raise OptionError(
                f"no cell has a held-out point and more than {self.least} ('least') of the {len(x)} samples: 'cells' "
                f"must be lower than {self.cells}"
            )
        groups = evidence.groups(ids.numpy())
        value = _estimate([(mine[cell == c], theirs[held_cell == c], groups[cell == c]) for c in chosen])
        notes = [
            f"C_T of {len(x)} samples against {len(held_out)} held-out points, by distance to {len(train)} training "
            f"points, in {x.shape[1]} {type(self.features).__name__} features."
        ]
        if self.cells > 1:
            held = np.array([(held_cell == c).sum() for c in chosen])
            spread = float(np.sqrt(np.square(held / held.sum()).sum()))
            notes.append(
                f"{len(chosen)} of {self.cells} cells have samples and held-out points enough to count. Of new data "
                f"their mean has a standard deviation of about {spread:.2f}, not 1: what -3 is for one cell is "
                f"{-3 * spread:.2f} here."
            )
        return Score({"ct": value}, notes=tuple(notes))

    def _cells(self, train: Tensor) -> Callable[[Tensor], Cells]:
        """The function from features `(n, f)` to cell numbers `(n,)`."""
        if self.cells == 1:
            return lambda features: np.zeros(len(features), dtype=np.int32)
        from sklearn.cluster import KMeans

        fitted = KMeans(self.cells, n_init=10, random_state=self.seed).fit(train.double().numpy())
        return lambda features: fitted.predict(features.double().numpy())


def mann_whitney(a: Array, b: Array) -> tuple[float, float, float]:
    """Whether a `(n,)` tends to be larger than b `(m,)`.

    Returns:
        Z = (U - nm/2) / s, U the number of pairs with a > b and half of those with a = b, and s^2 the variance of U
        were both of one law, nm/12 (N + 1 - sum (t^3 - t)/(N (N - 1))) with t the numbers of equal values among all
        N = n + m; the standard error of Z; and the largest Z that there is, that of U = nm. All are 0 where all values
        are equal, and Z can be nothing else.

    Source: Lehmann, Nonparametrics (1975), section 1.4, for the ties.
    """
    n, m = len(a), len(b)
    wins, losses = _wins(a, b), _wins(b, a)
    ties = np.unique(np.concatenate([a, b]), return_counts=True)[1].astype(np.float64)
    most = n + m
    scale = np.sqrt(n * m / 12 * (most + 1 - (ties**3 - ties).sum() / (most * (most - 1))))
    if len(ties) == 1:
        return 0.0, 0.0, 0.0
    variance = sum(np.append(share, (0, 1)).var(ddof=1) / len(share) for share in (wins / m, losses / n))
    return (
        float((wins.sum() - n * m / 2) / scale),
        float(np.sqrt(variance) * n * m / scale),
        float(n * m / 2 / scale),
    )


def _wins(a: Array, b: Array) -> Array:
    """How many of b each of a is above, equal ones half."""
    order = np.sort(b)
    return (np.searchsorted(order, a, "left") + np.searchsorted(order, a, "right")) / 2


def _within_cells(x: Tensor, x_cell: Cells, train: Tensor, train_cell: Cells, device: torch.device) -> Array:
    """The distance of each of `(n, f)` to its nearest training point of its own cell, `(n,)`."""
    distances = np.empty(len(x))
    for cell in np.unique(x_cell):
        mine = x_cell == cell
        nearest, _ = neighbours(x[torch.from_numpy(mine)], train[torch.from_numpy(train_cell == cell)], 1, device)
        distances[mine] = nearest[:, 0].numpy()
    return distances


def _estimate(parts: list[tuple[Array, Array, NDArray[np.int64]]]) -> Estimate:
    """C_T from the distances of samples and of held-out points in each cell, and the samples' jackknife groups."""
    value, variance, most, without = 0.0, 0.0, 0.0, np.zeros(evidence.GROUPS)
    total = sum(len(theirs) for _, theirs, _ in parts)
    for mine, theirs, groups in parts:
        weight = len(theirs) / total
        z, error, largest = mann_whitney(mine, theirs)
        value += weight * z
        variance += (weight * error) ** 2
        most += weight * largest
        rest = [mine[groups != g] for g in range(evidence.GROUPS)]
        without += weight * np.array([mann_whitney(some, theirs)[0] if len(some) else np.nan for some in rest])
    half = 1.959963984540054 * float(np.sqrt(variance))
    many = sum(len(mine) for mine, _, _ in parts) >= LEAST and bool(np.isfinite(without).all())
    return Estimate(value, max(value - half, -most), min(value + half, most), without if many else None)
