"""The Inception Score: how sure a classifier is of each sample, and how evenly it sees its classes."""

from __future__ import annotations

from typing import final

import attrs
import torch
from torch import Tensor

from kinetic import Column, Estimate, FeatureSpace, Samples, Score, TableMetric, embed, evidence, options
from kinetic.errors import OptionError
from kinetic_metrics.jackknife import FEWEST, LEAST


@final
@attrs.frozen(eq=False)
class InceptionScore(TableMetric):
    """exp(mean KL(p(y|x) || p(y))) over splits of the samples, with p(y|x) the softmax of a classifier's logits.

    p(y) is the mean of p(y|x) over the samples of a split, and the score the mean over splits, the last of which may be
    smaller: from 1 to the number of classes. It compares with no data, so that a model which makes one perfect image of
    each class has the highest.

    Value: `inception_score`. Interval by the jackknife over 20 groups of sample ids, for 60 samples or more, and no
    further than the score can be. The score is biased downwards, by about b/m for splits of m samples: compare equal
    splits only. Differences between arms are of 2 IS(m) - mean IS(m/2), which is free of that, over halves of every
    split; where one has fewer than four samples for each class there are none.

    Args:
        logits: a feature space whose features are the logits of C classes, C >= 2; `inception` with output `logits`
            makes this the Inception Score.
        split_size: samples of a split, in the order of their ids.

    Source: Salimans et al., Improved Techniques for Training GANs, arXiv 1606.03498; splits of 5,000 as in the
    evaluator of Dhariwal & Nichol, arXiv 2105.05233.
    """

    logits: FeatureSpace = options.component(FeatureSpace, doc="features that are a classifier's logits")
    split_size: int = options.integer(5000, at_least=2, doc="samples of a split")

    described = (
        Column(
            "inception_score",
            "How sure a classifier is of each sample, and how evenly it sees classes.",
            better="higher",
        ),
    )

    def rows(self, samples: Samples) -> dict[str, Tensor]:
        logits = embed(self.logits, samples.x)
        if logits.shape[1] < 2:
            raise OptionError(f"'logits' must be of 2 classes or more: {logits.shape[1]}")
        return {"logits": logits}

    def judge(self, ids: Tensor, rows: dict[str, Tensor]) -> Score:
        n, classes = rows["logits"].shape
        groups = torch.from_numpy(evidence.groups(ids.numpy()))
        splits = _Splits.of(rows["logits"], groups, self.split_size)
        sizes = splits.counts.sum(1).long().tolist()
        named = f"{len(sizes)} splits of {sizes[0]}" + (f", the last of {sizes[-1]}" if sizes[-1] < sizes[0] else "")
        notes = [f"Inception Score of {n} samples in {named if len(sizes) > 1 else 'one split'}, of {classes} classes."]
        few = min(sizes) < FEWEST * classes
        if few:
            size = f"{min(sizes)} samples of a split are few for {classes} classes (below {FEWEST} times)"
            notes.append(f"{size}: much of the score is bias, and there is no difference between arms.")
        value = splits.score()
        if n < LEAST or not splits.without_any():
            why = f"{n} samples, below {LEAST}" if n < LEAST else "a split lies in one group of samples"
            return Score({"inception_score": Estimate(value)}, notes=(*notes, f"No interval: {why}."))
        estimate = _within(splits.estimate(value), float(classes))
        return Score(
            {"inception_score": attrs.evolve(estimate, leave_out=None, unbiased=None) if few else estimate},
            notes=tuple(notes),
        )


@attrs.frozen(eq=False)
class _Splits:
    """Sums over the samples of each of s splits and 20 groups, float64.

    Args:
        counts: of samples `(s, 20)`.
        given: of sum_c p log p `(s, 20)`.
        shares: of p `(s, 20, c)`.
    """

    counts: Tensor
    given: Tensor
    shares: Tensor

    @classmethod
    def of(cls, logits: Tensor, groups: Tensor, size: int) -> _Splits:
        """Of logits `(n, c)` of samples in these groups `(n,)`, `size` samples a split."""
        sums = []
        for rows, own in zip(logits.split(size), groups.split(size), strict=True):
            log_p = rows.double().log_softmax(1)
            p = log_p.exp()
            member = torch.nn.functional.one_hot(own, evidence.GROUPS).double().T
            sums.append((member.sum(1), member @ torch.where(p > 0, p * log_p, 0.0).sum(1), member @ p))
        counts, given, shares = (torch.stack(each) for each in zip(*sums, strict=True))
        return cls(counts, given, shares)

    def score(self, kept: Tensor | None = None) -> float:
        """Of the samples of the groups that are kept, bool `(20,)`; of all by default."""
        weight = torch.ones(evidence.GROUPS).double() if kept is None else kept.double()
        n = self.counts @ weight
        p = torch.einsum("sgc,g->sc", self.shares, weight) / n[:, None]
        kl = self.given @ weight / n - torch.xlogy(p, p).sum(1)
        return float(kl.exp().mean())

    def without_any(self) -> bool:
        """Whether every split has samples left without any one group, and in either half."""
        half = evidence.GROUPS // 2
        left = self.counts.sum(1, keepdim=True) - self.counts
        halves = torch.stack([self.counts[:, :half].sum(1), self.counts[:, half:].sum(1)])
        return bool((left > 0).all() and (halves > 0).all())

    def estimate(self, value: float) -> Estimate:
        """With the jackknife over groups, and freed of the bias by halves."""
        groups = torch.arange(evidence.GROUPS)
        without = [self.score(groups != g) for g in range(evidence.GROUPS)]
        halves = [self.score((groups * 2 < evidence.GROUPS) == half) for half in (True, False)]
        return attrs.evolve(evidence.jackknife(value, without), unbiased=2 * value - sum(halves) / 2)


def _within(estimate: Estimate, most: float) -> Estimate:
    """The ends of the interval no further than the score can be: from 1 to the number of classes."""
    low, high = (None if end is None else min(max(end, 1.0), most) for end in (estimate.low, estimate.high))
    return attrs.evolve(estimate, low=low, high=high)
