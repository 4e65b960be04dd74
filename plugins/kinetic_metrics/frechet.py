"""The Frechet distance in a feature space; with Inception features, the FID."""

from __future__ import annotations

from typing import final

import attrs
import torch
from kinetic_features import Pixels
from torch import Tensor

from kinetic import (
    Dataset,
    Estimate,
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
from kinetic_metrics.gaussians import frechet_distance, moments

_BLOCK = 256  # reference points through the feature net at a time
_WIDEST = 512  # the jackknife costs 20 more distances, each cubic in the width


@final
@attrs.frozen(eq=False)
class FrechetDistance(Metric):
    """||m1 - m2||^2 + Tr(S1 + S2 - 2 (S1 S2)^{1/2}) between Gaussians fitted to samples and reference in feature space.

    Values:
        fd           of the samples
        fd_denoised  of the denoised samples (see `Samples`): what is left when leftover noise is taken off
    Intervals by the jackknife over 20 groups of sample ids, for features up to 512 wide; the reference is held fixed.
    The distance is biased upwards, by about 1/n: compare equal n only. A note gives n, and warns where n is below ten
    times the width of the features.

    Args:
        reference: data to compare with, best none that the model was trained on.
        features: the space; `inception` makes this the FID.
    """

    reference: Dataset = options.component("dataset", converter=as_dataset, doc="data to compare with")
    features: FeatureSpace = options.component("features", Pixels(), doc="the space")

    def begin(self) -> Observations:
        return Observations()

    def observe(self, state: Observations, samples: Samples) -> Observations:
        x = self._checked(samples.x)
        same = samples.denoised is samples.x or torch.equal(samples.denoised, samples.x)
        return state.adding(samples.ids, {"x": x, "denoised": x if same else self._checked(samples.denoised)})

    def merge(self, a: Observations, b: Observations) -> Observations:
        return a.joined(b)

    def finish(self, state: Observations) -> Score:
        ids, columns = state.sorted()
        place = device_of(self.features) or torch.device("cpu")
        theirs = [self._checked(block.to(place)).cpu() for _, block in self.reference.blocks(_BLOCK)]
        mean, cov = moments(torch.cat(theirs))
        n, width = columns["x"].shape
        values = {"fd": self._estimate(ids, columns["x"], mean, cov)}
        same = torch.equal(columns["x"], columns["denoised"])
        values["fd_denoised"] = values["fd"] if same else self._estimate(ids, columns["denoised"], mean, cov)
        notes = [
            f"Frechet distance of {n} samples to {len(self.reference)} reference points, in {width} "
            f"{type(self.features).__name__} features."
        ]
        if n < 10 * width:
            notes.append(f"{n} samples are few for {width} features (below ten times): much of the distance is bias.")
        return Score(values, notes=tuple(notes))

    def _checked(self, x: Tensor) -> Tensor:
        features = self.features.features(x)
        if not bool(torch.isfinite(features).all()):
            raise OptionError(f"{type(self.features).__name__} features must be finite: some are NaN or infinite")
        return features

    @staticmethod
    def _estimate(ids: Tensor, features: Tensor, mean: Tensor, cov: Tensor) -> Estimate:
        value = frechet_distance(*moments(features), mean, cov)
        groups = torch.from_numpy(evidence.groups(ids.numpy()))
        if features.shape[1] > _WIDEST or len(features) < 3 * evidence.GROUPS:
            return Estimate(value)
        without = [frechet_distance(*moments(features[groups != g]), mean, cov) for g in range(evidence.GROUPS)]
        return evidence.jackknife(value, without)
