"""The Frechet distance to training data, made larger where samples are near copies of them."""

from __future__ import annotations

from typing import final

import attrs
import torch
from kinetic_features import Pixels
from torch import Tensor

from kinetic import Column, Dataset, Estimate, FeatureMetric, FeatureSpace, Score, evidence, options
from kinetic.errors import OptionError
from kinetic_metrics.data_options import dataset
from kinetic_metrics.frechet_estimate import FrechetEstimate, frechet_estimate
from kinetic_metrics.gaussians import Gaussian
from kinetic_metrics.grouped_features import GroupedFeatures
from kinetic_metrics.jackknife import FEWEST, no_interval

_WIDEST = 2048  # as of the Frechet distance
_SAMPLES = 1024  # rows of cosines at a time
_ZERO = 1e-8  # a Frechet distance below counts as 0
_LEAST = 1e-14  # added to the cosine distance


@final
@attrs.frozen(eq=False)
class MiFID(FeatureMetric):
    """FD / d, the Frechet distance over the mean cosine distance of the samples to the nearest training point.

    With features f, d = mean_i min_j (1 - |cos(f_i, f_j)|) over samples i and training points j where that is below
    `threshold`, and d = 1 elsewhere. So the score is the Frechet distance itself unless samples are close to the
    training data as a whole; where they are it is much larger. The training points are held fixed: they are what a
    sample may be a copy of.

    Values: `mifid`, with the interval of the jackknife over 20 groups of sample ids, given the training points, for 60
    samples or more and up to 2,048 features; and `cosine_distance`, the mean itself. An interval across the threshold
    is wide, as the score jumps there. Differences between arms are freed of the bias in n, as those of the Frechet
    distance, and need four samples for each feature. Features that are all 0 have no cosine and are left out of d.

    Args:
        train: the data that the model was trained on; 2 points or more.
        features: the space; `inception` makes this the MiFID.
        threshold: of the cosine distance, from where on d is 1.

    Source: Bai et al., On Training Sample Memorization, arXiv 2106.03062, as Kaggle's competition evaluated it.
    torchmetrics takes the mean over the training points, of the distance to the nearest sample, in place of d.
    """

    train: Dataset = dataset("the data the model was trained on", at_least=2)
    features: FeatureSpace = options.component(FeatureSpace, Pixels(), doc="the space")
    threshold: float = options.number(
        0.1, above=0, at_most=1, doc="of the cosine distance, from where on it counts as 1"
    )

    described = (
        Column("mifid", "Frechet distance to the training data, larger where samples are near copies.", better="lower"),
        Column(
            "cosine_distance",
            "Mean over samples of the cosine distance to the nearest training point.",
            better="higher",
            main=False,
        ),
    )

    def compare(self, ids: Tensor, x: Tensor, train: Tensor) -> Score:
        n, width = x.shape
        seen = GroupedFeatures(_WIDEST).append(ids, x)
        known = frechet_estimate(seen, Gaussian.fitted(train))
        near = nearest_cosine(x, train)
        there = near.isfinite()
        if not bool(there.any()):
            raise OptionError(f"{type(self.features).__name__} features have no cosine where they are all 0")
        groups = torch.from_numpy(evidence.groups(ids.numpy()))
        estimate = self._estimate(known, near, groups)
        distance = evidence.mean(near[there].numpy())
        return Score({"mifid": estimate, "cosine_distance": distance}, notes=self._notes(n, width, train, known, near))

    def _estimate(self, known: FrechetEstimate, near: Tensor, groups: Tensor) -> Estimate:
        """The Frechet distance with all that is known of it, over the cosine distance of the same samples."""
        over = self._penalty(near)
        value = self._score(known.given.value, over)
        if known.without is None:
            return Estimate(value)
        part = groups * len(known.without) // evidence.GROUPS  # of neighbouring groups, as `without_each` leaves out
        without = [self._score(fd, self._penalty(near[part != i])) for i, fd in enumerate(known.without)]
        estimate = evidence.jackknife(value, without)
        low = None if estimate.low is None else max(0.0, estimate.low)
        if known.given.leave_out is None or known.given.unbiased is None:
            return attrs.evolve(estimate, low=low, leave_out=None)
        return attrs.evolve(estimate, low=low, unbiased=known.given.unbiased / over)

    def _penalty(self, near: Tensor) -> float:
        """d of samples with these distances `(n,)`, NaN where there is no cosine."""
        mean = float(near[near.isfinite()].mean())
        return (mean if mean < self.threshold else 1.0) + _LEAST

    @staticmethod
    def _score(fd: float, over: float) -> float:
        return fd / over if fd > _ZERO else 0.0

    def _notes(self, n: int, width: int, train: Tensor, known: FrechetEstimate, near: Tensor) -> tuple[str, ...]:
        mean, lost = float(near[near.isfinite()].mean()), int((~near.isfinite()).sum())
        said = "below" if mean < self.threshold else "not below"
        notes = [
            f"MiFID of {n} samples to {len(train)} training points, in {width} {type(self.features).__name__} "
            f"features: Frechet distance {known.given.value:.4g}, mean cosine distance {mean:.4g}, {said} "
            f"{self.threshold:g}.",
            "The interval is given these training points."
            if known.without is not None
            else no_interval(n, width, _WIDEST),
        ]
        if n < 10 * width:
            notes.append(f"{n} samples are few for {width} features (below ten times): much of the distance is bias.")
        if known.without is not None and known.given.leave_out is None:
            notes.append(f"No difference between arms: the bias comes off with {FEWEST * width} samples or more.")
        if lost:
            notes.append(f"{lost} samples have features that are all 0, and no cosine: they are left out of that mean.")
        return tuple(notes)


def nearest_cosine(x: Tensor, points: Tensor) -> Tensor:
    """1 - max_j |cos(x_i, points_j)| of `(n, f)` to points `(m, f)`, float64 `(n,)`; NaN where x_i is 0.

    Points that are 0 have no cosine and are left out; where all are, every distance is NaN.
    """
    points = points.double()
    lengths = points.norm(dim=1, keepdim=True)
    unit = (points / lengths)[lengths[:, 0] > 0]
    nearest = [
        1 - (block / block.norm(dim=1, keepdim=True) @ unit.T).abs().amax(1) if len(unit) else block[:, 0] * torch.nan
        for block in x.double().split(_SAMPLES)
    ]
    return torch.cat(nearest)
