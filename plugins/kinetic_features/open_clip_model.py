"""An open_clip model with the preprocessing it was trained with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import torch
from torch import Tensor
from torch.nn import functional

from kinetic import in_blocks
from kinetic.errors import MissingFileError, OptionError
from kinetic.options import existing_path
from kinetic_features.images import RGB, as_rgb, need
from kinetic_features.weights import why

_LOCAL = "local-dir:"


@attrs.frozen(eq=False)
class OpenClip:
    """A model, its tokenizer, and how its images are prepared.

    Args:
        net: the open_clip model.
        tokenize: `list[str] -> (n, context)` tokens.
        size: height and width the images are resized to.
        mean, std: `(3,)`, what they are normalised with.
        interpolation: bicubic or bilinear.
    """

    net: Any
    tokenize: Any
    size: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str

    def images(self, net: Any, x: Tensor) -> Tensor:
        """Unit image vectors of `(m, 1 or 3, h, w)` in [-1, 1], from `net` (this model's, perhaps moved)."""
        return in_blocks(lambda rows: net.encode_image(self._prepared(rows), normalize=True), x)

    def _prepared(self, x: Tensor) -> Tensor:
        rgb = as_rgb(x)
        if rgb.shape[-2:] != self.size:
            rgb = functional.interpolate(rgb, self.size, mode=self.interpolation, antialias=True, align_corners=False)
            rgb = rgb.clamp(0, 1)
        mean, std = (rgb.new_tensor(value)[:, None, None] for value in (self.mean, self.std))
        return (rgb - mean) / std

    def texts(self, prompts: tuple[str, ...]) -> Tensor:
        """Unit text vectors, `(len(prompts), f)`."""
        with torch.inference_mode():
            return self.net.encode_text(self.tokenize(list(prompts)), normalize=True).clone()

    @property
    def preprocessing(self) -> str:
        """How the images are prepared, in words."""
        return (
            f"{RGB}, resized to {self.size[0]} x {self.size[1]} where they differ ({self.interpolation}, antialiased), "
            f"normalised with mean {self.mean} and std {self.std}, as its open_clip config says"
        )


def open_clip_model(model: str, pretrained: str | None) -> OpenClip:
    """Load a model through open_clip.

    Args:
        model: an open_clip name with `pretrained` weights, or `local-dir:PATH` of a folder that holds
            `open_clip_config.json` and weights; PATH may be `package:NAME/REST`.
        pretrained: open_clip's tag, or None for `local-dir:`.
    Raises:
        MissingFileError: the folder, its config or the weights are not there, or cannot be downloaded.
        OptionError: a name without weights, or a weights file, whose preprocessing could only be guessed.
    """
    open_clip = need("open_clip", "open-clip-torch")
    if model.startswith(_LOCAL):
        remedy = f'Give the folder of an open_clip model, "{_LOCAL}PATH", with open_clip_config.json and weights in it.'
        folder = existing_path(model.removeprefix(_LOCAL), what="CLIP model", remedy=remedy)
        existing_path(folder / "open_clip_config.json", what="CLIP preprocessing", remedy=remedy)
        model = f"{_LOCAL}{folder}"
    elif pretrained is None or Path(pretrained).is_file():
        raise OptionError(
            f"'pretrained' must be a tag of open_clip for {model!r}, not nothing and not a file, whose preprocessing "
            f'could only be guessed: {pretrained!r}\n  For weights of your own use model = "{_LOCAL}PATH".'
        )
    try:
        net, _, _ = open_clip.create_model_and_transforms(model, pretrained=pretrained)
        tokenize = open_clip.get_tokenizer(model)
    except Exception as error:  # a download, and files that are none, fail in as many ways as there are libraries
        raise MissingFileError(
            f"CLIP model {model!r} ({pretrained or 'local'}) cannot be loaded: {why(error)}\n"
            f'  Offline, keep it in a folder and use model = "{_LOCAL}PATH".'
        ) from error
    config = open_clip.get_model_preprocess_cfg(net)
    size = config["size"]
    return OpenClip(
        net=net.eval().requires_grad_(False),
        tokenize=tokenize,
        size=(size, size) if isinstance(size, int) else (int(size[0]), int(size[1])),
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
        interpolation=config.get("interpolation", "bicubic"),
    )
