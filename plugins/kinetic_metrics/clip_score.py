"""How well an image fits its prompt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import attrs
from kinetic_features import CLIPImage
from torch import Tensor

from kinetic import Column, FeatureSpace, SampleMetric, Samples, embed, options
from kinetic_metrics.classes import classes_asked, margins


@final
@attrs.frozen(eq=False)
class CLIPScore(SampleMetric):
    """Cosine of image and prompt in a CLIP model, and its margins over the other prompts, times 100.

    Columns, with s_c the cosine with prompt c and y the class the sample was asked for:
        score        100 max(s_y, 0)
        margin_mean  100 (s_y - mean over c != y of s_c)
        margin_hard  100 (s_y - max over c != y of s_c); positive where CLIP would choose y
    Values: their means. Images are prepared as the model's own config says; a note repeats it.

    Args:
        model: a built-in name of open_clip, or `local-dir:PATH`; PATH may be `package:NAME/REST`.
        pretrained: open_clip's tag of the weights; nothing for `local-dir:`.
        prompts: one for each class, 2 or more; prompt c belongs to class c. By default those of the recipe.

    Source: Hessel et al., CLIPScore, arXiv 2104.08718 (there times 2.5). The mean margin is our reading of the margin
    of arXiv 2602.07928, whose text we could not see define it.
    """

    model: str = options.text(doc="a built-in name of open_clip, or local-dir:PATH")
    prompts: tuple[str, ...] = options.texts(at_least=2, prompts=True, doc="one for each class")
    pretrained: str | None = attrs.field(default=None, metadata={options.BOUND: "a tag of open_clip, or nothing"})
    _images: FeatureSpace = attrs.field(init=False, repr=False)
    _texts: Tensor = attrs.field(init=False, repr=False)
    _cut: int = attrs.field(init=False, repr=False)
    samples_needed = 1
    described = (
        Column("margin_mean", "100 x cosine with its prompt minus the mean one with the others.", better="higher"),
        Column("margin_hard", "100 x cosine with its prompt minus the best other.", better="higher", main=False),
        Column("score", "100 x cosine with its prompt, 0 where that is negative.", better="higher", main=False),
    )

    def __attrs_post_init__(self) -> None:
        images = CLIPImage(self.model, self.pretrained)
        object.__setattr__(self, "_images", images)
        object.__setattr__(self, "_texts", images.texts(self.prompts))
        object.__setattr__(self, "_cut", images.cut(self.prompts))

    def columns(self, samples: Samples) -> Mapping[str, Tensor]:
        asked = classes_asked(samples, len(self.prompts), "prompts")
        cosines = embed(self._images, samples.x) @ self._texts.T
        mine = cosines.gather(1, asked[:, None])[:, 0]
        others = (cosines.sum(1) - mine) / (len(self.prompts) - 1)
        return {
            "score": 100 * mine.clamp_min(0),
            "margin_mean": 100 * (mine - others),
            "margin_hard": 100 * margins(cosines, asked),
        }

    def notes(self, columns: Mapping[str, Tensor]) -> tuple[str, ...]:
        first = f"CLIP {self.model}, {len(columns['score'])} samples: {self._images.preprocessing}."
        rest = f"{self._cut} of {len(self.prompts)} prompts are longer than this CLIP reads; the rest is not judged."
        return (first, rest) if self._cut else (first,)
