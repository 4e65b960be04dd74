"""The image tower of a CLIP model."""

from __future__ import annotations

from typing import final

import attrs
from torch import Tensor, nn

from kinetic import FeatureSpace, options
from kinetic.types import State
from kinetic_features.open_clip_model import OpenClip, open_clip_model


@final
@attrs.frozen(eq=False)
class CLIPImage(FeatureSpace):
    """Unit image vectors of an open_clip model, prepared as the model's own config says.

    Of a folder tensors and numbers alone are read: one whose config hands over to transformers or timm is refused, and
    so is one without weights.

    Args:
        model: a built-in name of open_clip, or `local-dir:PATH`; PATH may be `package:NAME/REST`.
        pretrained: open_clip's tag of the weights; nothing for `local-dir:`.
    """

    model: str = options.text(doc="a built-in name of open_clip, or local-dir:PATH")
    pretrained: str | None = attrs.field(default=None, metadata={options.BOUND: "a tag of open_clip, or nothing"})
    _clip: OpenClip = attrs.field(init=False, repr=False)
    _net: nn.Module = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        clip = open_clip_model(self.model, self.pretrained)
        object.__setattr__(self, "_clip", clip)
        object.__setattr__(self, "_net", clip.net)

    @property
    def preprocessing(self) -> str:
        return self._clip.preprocessing

    def features(self, x: State) -> Tensor:
        return self._clip.images(self._net, x)

    def texts(self, prompts: tuple[str, ...]) -> Tensor:
        """Unit vectors of texts in the same space, `(len(prompts), f)`."""
        return self._clip.texts(prompts)

    def cut(self, prompts: tuple[str, ...]) -> int:
        """How many of the texts are longer than the model reads."""
        return self._clip.cut(prompts)
