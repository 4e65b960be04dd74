"""Whether a classifier takes a sample for the class it was asked for, and by how much."""

from __future__ import annotations

from typing import final

import attrs
import torch
from torch import Tensor

from kinetic import FeatureSpace, Metric, Samples, SampleTable, Score, evidence, options
from kinetic.errors import OptionError
from kinetic.types import State
from kinetic_metrics.feature_table import embed
from kinetic_metrics.sample_table import estimates, judged, listed

_SHOWN = 20  # classes with a value each; of more, a note names the worst


@final
@attrs.frozen(eq=False)
class ClassMargin(Metric):
    """The margin of a classifier at the class y each sample was asked for, and its accuracy.

    With z the logits and s = z (`logit`) or s = softmax(z) (`probability`):

        margin   s_y - max over c != y of s_c; in nats of the odds of y against the next, or in (-1, 1)
        correct  whether margin > 0, so that the classifier's first choice is y alone
    Values: `margin`, the mean; `accuracy`, the share that is correct, with Wilson's interval, and for up to 20 asked
    classes `accuracy_C` of the samples asked for class C. All with `_denoised` too, on the denoised samples (see
    `Samples`). A classifier is sure of much that is no image of the class, so a margin is no quality.

    Args:
        logits: a feature space whose features are the logits of C classes, C >= 2; feature c belongs to class c.
            Any classifier fits: wrap it in a `FeatureSpace`. `digits-logits` is one for digits.
        scale: what the margin is taken of.

    Source: the classification accuracy score of Ravuri & Vinyals, arXiv 1905.10887, the other way round: a classifier
    of real data judges samples.
    """

    logits: FeatureSpace = options.component(FeatureSpace, doc="features that are a classifier's logits")
    scale: str = options.choice("logit", "probability", default="logit", doc="what the margin is taken of")

    def begin(self) -> SampleTable:
        return SampleTable()

    def observe(self, state: SampleTable, samples: Samples) -> SampleTable:
        asked = samples.condition
        if asked is None:
            raise OptionError(
                "the class margin needs a class for each sample\n  In a recipe set `classes = N` under [run]; for "
                "`kinetic score` give labels: --set samples.labels=true of image folders, =NAME of a tensor file."
            )

        def judge(x: State) -> dict[str, Tensor]:
            logits = embed(self.logits, x).double()
            if logits.shape[1] < 2:
                raise OptionError(f"'logits' must be of 2 classes or more: {logits.shape[1]}")
            if bool(((asked < 0) | (asked >= logits.shape[1])).any()):
                outside = sorted({int(c) for c in asked if not 0 <= c < logits.shape[1]})
                raise OptionError(f"'logits' are of {logits.shape[1]} classes, the samples ask for class {outside[-1]}")
            margin = margins(logits if self.scale == "logit" else logits.softmax(1), asked)
            return {"margin": margin, "correct": margin > 0, "asked": asked}

        return judged(state, samples, judge)

    def merge(self, a: SampleTable, b: SampleTable) -> SampleTable:
        return a.concat(b)

    def finish(self, state: SampleTable) -> Score:
        ids, columns = listed(state)
        asked, _ = columns.pop("asked"), columns.pop("asked_denoised")
        classes = asked.unique().tolist()
        means = estimates(columns)
        values = {name.replace("correct", "accuracy"): estimate for name, estimate in means.items()}
        by_class = {
            (c, end): evidence.proportion(columns[f"correct{end}"][asked == c].double().numpy())
            for c in classes
            for end in ("", "_denoised")
        }
        if len(classes) <= _SHOWN:
            values |= {f"accuracy_{c}{end}": share for (c, end), share in by_class.items()}
        worst = min(classes, key=lambda c: by_class[c, ""].value)
        notes = (
            f"{type(self.logits).__name__} takes {int(columns['correct'].sum())} of {len(ids)} samples for the class "
            f"asked for; margins of the {self.scale}.",
            f"Lowest for class {worst}: {by_class[worst, ''].value:.3f} of {int((asked == worst).sum())} samples.",
        )
        return Score(values, ids, columns, notes)


def margins(scores: Tensor, asked: Tensor) -> Tensor:
    """The score of the class asked for minus the best other, `(m,)`, from scores `(m, c)` and classes int64 `(m,)`."""
    others = scores.scatter(1, asked[:, None], -torch.inf)
    return scores.gather(1, asked[:, None])[:, 0] - others.amax(1)
