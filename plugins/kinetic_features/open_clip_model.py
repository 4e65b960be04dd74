"""An open_clip model with the preprocessing it was trained with."""

from __future__ import annotations

import math
from typing import Any

import attrs
import torch
from torch import Tensor
from torch.nn import functional

from kinetic import in_blocks
from kinetic.errors import KineticError, MissingFileError, OptionError
from kinetic.fetch import forbidden, from_hub, no_hub
from kinetic.networks import float32_layers, tensors_only, why
from kinetic_features.clip_source import LOCAL, ClipSource, clip_source
from kinetic_features.images import RGB, as_rgb, need

_KEPT = f'Offline, keep it in a folder and use model = "{LOCAL}PATH".'


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
        with torch.no_grad():
            return in_blocks(lambda rows: self.net.encode_text(rows, normalize=True), self.tokenize(list(prompts)))

    def cut(self, prompts: tuple[str, ...]) -> int:
        """How many of the prompts have more tokens than the model reads, which leaves out the rest of them."""
        tokens: int = self.net.context_length
        blank, *longer = self.tokenize(["", *prompts], context_length=tokens + 1)[:, tokens].tolist()
        return sum(last != blank for last in longer)

    @property
    def preprocessing(self) -> str:
        """How the images are prepared, in words."""
        return (
            f"{RGB}, resized to {self.size[0]} x {self.size[1]} where they differ ({self.interpolation}, antialiased), "
            f"normalised with mean {self.mean} and std {self.std}, as its open_clip config says"
        )


def open_clip_model(model: str, pretrained: str | None) -> OpenClip:
    """Load a model through open_clip, tensors and numbers alone: no code of a folder or of the network is run.

    Args:
        model: an open_clip name with `pretrained` weights, or `local-dir:PATH` of a folder that holds
            `open_clip_config.json` and weights; PATH may be `package:NAME/REST`.
        pretrained: open_clip's tag, or None for `local-dir:`.
    Raises:
        MissingFileError: the folder, its config or the weights are not there, or cannot be downloaded.
        OptionError: what `clip_source` refuses, or a folder whose weights cannot be read or do not fit its config.
        UnknownNameError: open_clip has no such model or tag.
    """
    open_clip = need("open_clip", "open-clip-torch")
    source = clip_source(open_clip, model, pretrained)
    net, tokenize = _loaded(open_clip, source)
    config = open_clip.get_model_preprocess_cfg(net)
    _check_preprocessing(config, source)
    size = config["size"]
    return OpenClip(
        net=net.eval().requires_grad_(False),
        tokenize=tokenize,
        size=(size, size) if isinstance(size, int) else (int(size[0]), int(size[1])),
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
        interpolation=config["interpolation"],
    )


def _loaded(open_clip: Any, source: ClipSource) -> tuple[Any, Any]:
    """The model and its tokenizer, of a folder without the network."""

    def load() -> tuple[Any, Any]:
        with tensors_only(), float32_layers():
            net = open_clip.create_model(source.name, pretrained=source.tag, require_pretrained=True)
            return net, open_clip.get_tokenizer(source.name, **source.tokenizer)

    try:
        if source.tag is None:
            with no_hub():
                return load()
        return from_hub(load, f"CLIP model {source.name!r} with the weights {source.tag!r}", source.repositories, _KEPT)
    except KineticError:
        raise
    except Exception as error:  # files that are none fail in as many ways as there are libraries
        raise _failed(source, error) from error


def _check_preprocessing(config: dict[str, Any], source: ClipSource) -> None:
    mean, std, interpolation = config["mean"], config["std"], config["interpolation"]
    if not (_three(mean) and _three(std) and min(std) > 0) or interpolation not in ("bicubic", "bilinear"):
        raise OptionError(
            f"CLIP model {source.name!r} must be normalised with a mean of three numbers and a std of three above 0, "
            f"and resized bicubic or bilinear: its preprocess_cfg says {mean!r}, {std!r} and {interpolation!r}"
        )


def _three(values: Any) -> bool:
    numbers = isinstance(values, list | tuple) and all(type(each) in (int, float) for each in values)
    return numbers and len(values) == 3 and all(map(math.isfinite, values))


def _failed(source: ClipSource, error: Exception) -> KineticError:
    if source.tag is None:
        return OptionError(f"CLIP model {source.origin!r} cannot be loaded: {why(error)}")
    return MissingFileError(
        f"CLIP model {source.name!r} with the weights {source.tag!r} cannot be loaded from {source.origin}"
        f"{forbidden()}: {why(error)}\n  {_KEPT}"
    )
