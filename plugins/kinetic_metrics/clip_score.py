"""How well an image fits its prompt."""

from __future__ import annotations

from typing import final

import attrs
import torch
from kinetic_features import CLIPImage
from torch import Tensor

from kinetic import FeatureSpace, Metric, Samples, SampleTable, Score, evidence, options
from kinetic.errors import OptionError


@final
@attrs.frozen(eq=False)
class CLIPScore(Metric):
    """Cosine of image and prompt in a CLIP model, and its margins over the other prompts, times 100.

    Columns, with s_c the cosine with prompt c and y the class the sample was asked for:
        score        100 max(s_y, 0)
        margin_mean  100 (s_y - mean over c != y of s_c)
        margin_hard  100 (s_y - max over c != y of s_c); positive where CLIP would choose y
    Values: their means. Images are prepared as the model's own config says; a note repeats it.

    Args:
        model: a built-in name of open_clip, or `local-dir:PATH`; PATH may be `package:NAME/REST`.
        pretrained: open_clip's tag of the weights; nothing for `local-dir:`.
        prompts: one for each class, 2 or more; prompt c belongs to class c.

    Source: Hessel et al., CLIPScore, arXiv 2104.08718 (there times 2.5). The mean margin is our reading of the margin
    of arXiv 2602.07928, whose text we could not see define it.
    """

    model: str = options.text(doc="a built-in name of open_clip, or local-dir:PATH")
    prompts: tuple[str, ...] = options.texts(at_least=2, doc="one for each class")
    pretrained: str | None = attrs.field(default=None, metadata={options.BOUND: "a tag of open_clip, or nothing"})
    _images: FeatureSpace = attrs.field(init=False, repr=False)
    _texts: Tensor = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        images = CLIPImage(self.model, self.pretrained)
        object.__setattr__(self, "_images", images)
        object.__setattr__(self, "_texts", images.texts(self.prompts))

    def begin(self) -> SampleTable:
        return SampleTable()

    def observe(self, state: SampleTable, samples: Samples) -> SampleTable:
        asked = samples.condition
        if asked is None:
            raise OptionError(
                "the CLIP score needs a class for each sample\n  In a recipe set `classes = N` under [run]; for "
                "`kinetic score` give labels: --set samples.labels=true of image folders, =NAME of a tensor file."
            )
        if bool((asked >= len(self.prompts)).any()):
            raise OptionError(
                f"'prompts' has {len(self.prompts)} entries, the samples ask for class {int(asked.max())}"
            )
        cosines = self._images.features(samples.x) @ self._texts.T
        mine = cosines.gather(1, asked[:, None])[:, 0]
        others = cosines.scatter(1, asked[:, None], -torch.inf)
        mean = (cosines.sum(1) - mine) / (len(self.prompts) - 1)
        columns = {
            "score": 100 * mine.clamp_min(0),
            "margin_mean": 100 * (mine - mean),
            "margin_hard": 100 * (mine - others.amax(1)),
        }
        return state.append(samples.ids, columns)

    def merge(self, a: SampleTable, b: SampleTable) -> SampleTable:
        return a.concat(b)

    def finish(self, state: SampleTable) -> Score:
        ids, columns = state.sort()
        values = {name: evidence.mean(column.double().numpy()) for name, column in columns.items()}
        note = f"CLIP {self.model}, {len(ids)} samples: {self._images.preprocessing}."
        return Score(values, ids, columns, (note,))
