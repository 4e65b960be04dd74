"""The Vendi score: how many different samples there are."""

from __future__ import annotations

import math
from typing import final

import attrs
import torch
from kinetic_features import Pixels
from torch import Tensor

from kinetic import Column, Estimate, FeatureMetric, FeatureSpace, Score, evidence, options
from kinetic.errors import OptionError
from kinetic_metrics.jackknife import LEAST, jackknife_groups, no_interval

_WIDEST = 2048  # the jackknife costs a spectrum more for each group, cubic in the smaller of n and f


@final
@attrs.frozen(eq=False)
class VendiScore(FeatureMetric):
    """exp(-sum lambda log lambda) over the eigenvalues lambda of K/n, K the cosines of all pairs in feature space.

    The number of samples that, all different, would be as diverse: from 1, all alike, to the smaller of n and f. For
    another order q it is (sum lambda^q)^{1/(1 - q)}; a larger q weighs common features more.

    Value: `vendi`. Interval by the jackknife over 20 groups of sample ids, over 10 where the smaller of n and f is
    above 512, up to 2,048, for 60 samples or more, and no further than the score can be. The score grows with n towards
    that of the law, which the interval does not see: compare equal n only. A note warns where it is above n/10.

    The eigenvalues are those of the smaller of K/n and the features' second moments, which differ by zeros alone.

    Args:
        features: the space. `pixels` sees brightness more than content.
        q: the order, above 0.

    Source: Friedman & Dieng, The Vendi Score, arXiv 2210.02410; order q: Pasarkar & Dieng, arXiv 2310.12952.
    """

    features: FeatureSpace = options.component(FeatureSpace, Pixels(), doc="the space")
    q: float = options.number(1.0, above=0, doc="the order")

    described = (Column("vendi", "How many samples, all different, would be as diverse.", better="higher"),)

    def compare(self, ids: Tensor, x: Tensor) -> Score:
        n, width = x.shape
        count = jackknife_groups(min(n, width), _WIDEST) if n >= LEAST else 1
        estimate = self._estimate(x, torch.from_numpy(evidence.groups(ids.numpy(), count)), count)
        order = "" if self.q == 1 else f" of order {self.q:g}"
        notes = [f"Vendi score{order} of {n} samples, in {width} {type(self.features).__name__} features."]
        if estimate.value > n / 10:
            notes.append(f"{n} samples are few for this score: it grows with n, to {min(n, width)} at the most.")
        if count < 2:
            notes.append(no_interval(n, min(n, width), _WIDEST, "samples and features"))
        return Score({"vendi": estimate}, notes=tuple(notes))

    def _estimate(self, features: Tensor, groups: Tensor, count: int) -> Estimate:
        x = features.double()
        length = x.norm(dim=1)
        if not bool((length > 0).all()):
            raise OptionError(f"{type(self.features).__name__} features have no cosine where they are all 0")
        x = x / length[:, None]
        n, width = x.shape
        wide = width >= n
        gram = x @ x.T if wide else x.T @ x
        value = vendi_score(gram, n, self.q)
        if count < 2:
            return Estimate(value)
        without = []
        for g in range(count):
            kept, gone = groups != g, x[groups == g]
            without.append(vendi_score(gram[kept][:, kept] if wide else gram - gone.T @ gone, int(kept.sum()), self.q))
        known = evidence.jackknife(value, without)
        low, high = (
            None if end is None else min(max(end, 1.0), float(min(n, width))) for end in (known.low, known.high)
        )
        return attrs.evolve(known, low=low, high=high)


def vendi_score(gram: Tensor, n: int, q: float = 1.0) -> float:
    """The Vendi score of order q from X X^T or X^T X, symmetric float64, of unit vectors X `(n, f)`.

    Eigenvalues within rounding of 0 count as 0.
    """
    share = torch.linalg.eigvalsh(gram) / n
    share = share[share > len(gram) * torch.finfo(torch.float64).eps]
    share = share / share.sum()
    if abs(q - 1) < 1e-9:
        return math.exp(-float((share * share.log()).sum()))
    top = share.max()  # taken out of the sum, whose powers would all be 0 for a large q
    return math.exp(q / (1 - q) * math.log(top) + float((q * (share / top).log()).logsumexp(0)) / (1 - q))
