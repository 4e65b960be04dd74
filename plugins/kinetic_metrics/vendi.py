"""The Vendi score: how many different samples there are."""

from __future__ import annotations

import math
from typing import final

import attrs
import torch
from kinetic_features import Pixels
from torch import Tensor

from kinetic import Estimate, FeatureSpace, Metric, Observations, Samples, Score, evidence, options
from kinetic.errors import OptionError
from kinetic_metrics.feature_table import Found, observed, tables, twice

_WIDEST = 1024  # the jackknife costs 20 more spectra, each cubic in the smaller of n and f


@final
@attrs.frozen(eq=False)
class VendiScore(Metric):
    """exp(-sum lambda log lambda) over the eigenvalues lambda of K/n, K the cosines of all pairs in feature space.

    The number of samples that, all different, would be as diverse: from 1, all alike, to the smaller of n and f. For
    another order q it is (sum lambda^q)^{1/(1 - q)}; a larger q weighs common features more.

    Values: `vendi`, and `vendi_denoised` of the denoised samples (see `Samples`). Intervals by the jackknife over 20
    groups of sample ids, where n or f is at most 1,024 and n at least 60. The score grows with n towards that of the
    law, which the interval does not see: compare equal n only. A note warns where it is above n/10.

    The eigenvalues are those of the smaller of K/n and the features' second moments, which differ by zeros alone.

    Args:
        features: the space. `pixels` sees brightness more than content.
        q: the order, above 0.

    Source: Friedman & Dieng, The Vendi Score, arXiv 2210.02410; order q: Pasarkar & Dieng, arXiv 2310.12952.
    """

    features: FeatureSpace = options.component("features", Pixels(), doc="the space")
    q: float = options.number(1.0, above=0, doc="the order")

    def begin(self) -> Observations:
        return Observations()

    def observe(self, state: Observations, samples: Samples) -> Observations:
        return observed(state, samples, self.features)

    def merge(self, a: Observations, b: Observations) -> Observations:
        return a.joined(b)

    def finish(self, state: Observations) -> Score:
        ids, x, denoised = tables(state, 2)
        groups = torch.from_numpy(evidence.groups(ids.numpy()))

        def judge(features: Tensor) -> Found:
            return {"vendi": self._estimate(features, groups)}, {}

        values, _ = twice(x, denoised, judge)
        n, width = x.shape
        order = "" if self.q == 1 else f" of order {self.q:g}"
        notes = [f"Vendi score{order} of {n} samples, in {width} {type(self.features).__name__} features."]
        if values["vendi"].value > n / 10:
            notes.append(f"{n} samples are few for this score: it grows with n, to {min(n, width)} at the most.")
        return Score(values, notes=tuple(notes))

    def _estimate(self, features: Tensor, groups: Tensor) -> Estimate:
        x = features.double()
        length = x.norm(dim=1)
        if not bool((length > 0).all()):
            raise OptionError(f"{type(self.features).__name__} features have no cosine where they are all 0")
        x = x / length[:, None]
        n, width = x.shape
        wide = width >= n
        gram = x @ x.T if wide else x.T @ x
        value = vendi_score(gram, n, self.q)
        if min(n, width) > _WIDEST or n < 3 * evidence.GROUPS:
            return Estimate(value)
        without = []
        for g in range(evidence.GROUPS):
            kept, gone = groups != g, x[groups == g]
            without.append(vendi_score(gram[kept][:, kept] if wide else gram - gone.T @ gone, int(kept.sum()), self.q))
        return evidence.jackknife(value, without)


def vendi_score(gram: Tensor, n: int, q: float = 1.0) -> float:
    """The Vendi score of order q from X X^T or X^T X, symmetric float64, of unit vectors X `(n, f)`.

    Eigenvalues within rounding of 0 count as 0.
    """
    share = torch.linalg.eigvalsh(gram) / n
    share = share[share > len(gram) * torch.finfo(torch.float64).eps]
    share = share / share.sum()
    if abs(q - 1) < 1e-9:
        return math.exp(-float((share * share.log()).sum()))
    return math.exp(math.log(float((share**q).sum())) / (1 - q))
