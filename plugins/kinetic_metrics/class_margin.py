"""Whether a classifier takes a sample for the class it was asked for, and by how much."""

from __future__ import annotations

from typing import final

import attrs
from torch import Tensor

from kinetic import Column, FeatureSpace, Samples, Score, TableMetric, embed, evidence, options
from kinetic.errors import OptionError
from kinetic_metrics.classes import classes_asked, margins

_SHOWN = 20  # classes with a value each; of more, a note names the worst


@final
@attrs.frozen(eq=False)
class ClassMargin(TableMetric):
    """The margin of a classifier at the class y each sample was asked for, and its accuracy.

    With z the logits and s = z (`logit`) or s = softmax(z) (`probability`):

        margin   s_y - max over c != y of s_c; in nats of the odds of y against the next, or in (-1, 1)
        correct  whether margin > 0, so that the classifier's first choice is y alone
    Values: `margin`, the mean; `accuracy`, the share that is correct, with Wilson's interval, and for up to 20 asked
    classes `accuracy_C` of the samples asked for class C. A classifier is sure of much that is no image of the class,
    so a margin is no quality.

    Args:
        logits: a feature space whose features are the logits of C classes, C >= 2; feature c belongs to class c.
            Any classifier fits: wrap it in a `FeatureSpace`. `digits-logits` is one for digits.
        scale: what the margin is taken of.

    Source: the classification accuracy score of Ravuri & Vinyals, arXiv 1905.10887, the other way round: a classifier
    of real data judges samples.
    """

    logits: FeatureSpace = options.component(FeatureSpace, doc="features that are a classifier's logits")
    scale: str = options.choice("logit", "probability", default="logit", doc="what the margin is taken of")

    @property
    def described(self) -> tuple[Column, ...]:
        unit = "nats" if self.scale == "logit" else ""
        says = f"The {self.scale} of the class asked for minus that of the best other."
        first = "Whether the class asked for is the classifier's first choice."
        return (
            Column("margin", says, unit=unit, better="higher"),
            Column("correct", first, kind="label", better="higher", mean="accuracy"),
        )

    def rows(self, samples: Samples) -> dict[str, Tensor]:
        logits = embed(self.logits, samples.x).double()
        if logits.shape[1] < 2:
            raise OptionError(f"'logits' must be of 2 classes or more: {logits.shape[1]}")
        asked = classes_asked(samples, logits.shape[1], "logits")
        margin = margins(logits if self.scale == "logit" else logits.softmax(1), asked)
        return {"margin": margin, "correct": margin > 0, "asked": asked}

    def judge(self, ids: Tensor, rows: dict[str, Tensor]) -> Score:
        asked, correct = rows.pop("asked"), rows["correct"]
        by_class = {c: evidence.proportion(correct[asked == c].double().numpy()) for c in asked.unique().tolist()}
        shown = {f"accuracy_{c}": share for c, share in by_class.items()} if len(by_class) <= _SHOWN else {}
        worst = min(by_class, key=lambda c: by_class[c].value)
        notes = (
            f"{type(self.logits).__name__} takes {int(correct.sum())} of {len(ids)} samples for the class "
            f"asked for; margins of the {self.scale}.",
            f"Lowest for class {worst}: {by_class[worst].value:.3f} of {int((asked == worst).sum())} samples.",
        )
        says = "Accuracy among the samples asked for one class."
        described = {name: Column(name, says, better="higher", main=False) for name in shown}
        return Score(self.means(rows) | shown, ids, rows, notes, described=described)
