"""Features of a DINOv2 model, or of any other image model of timm."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, final

import attrs
from torch import Tensor, nn

from kinetic import FeatureSpace, in_blocks, options
from kinetic.errors import KineticError, MissingFileError, OptionError, UnknownNameError, unknown
from kinetic.fetch import downloaded, forbidden, from_hub, hash_in
from kinetic.networks import fill, float32_layers, tensors_only, why
from kinetic.types import State
from kinetic_features.images import RGB, as_rgb, need

_UNUSED = ("mask_token", "head.", "head_dist.", "fc.", "classifier.")  # of a checkpoint, where features are asked for


@final
@attrs.frozen(eq=False)
class DINOv2(FeatureSpace):
    """The pooled features of a timm model before its classifier, for DINOv2 the class token after the last norm.

    Images `(m, 1 or 3, h, w)` in [-1, 1]; gray is repeated. They are prepared as the model's data config in timm says:
    resized and cropped with its interpolation (antialiased), clipped, normalised with its mean and std; `preprocessing`
    has the words. Images of the model's own size are not resized.

    Args:
        model: timm's name, best with a tag, `ARCHITECTURE.TAG`.
        weights: a `.safetensors` or `.pth` file, of which tensors alone are read. It says nothing of
            preprocessing: that of the tag is taken, so the tag must be given and be the one it was trained with.
        size: height and width the images are brought to, in place of the model's own; its position table is resampled.

    Source: Oquab et al., arXiv 2304.07193; as a space to judge generated images in, Stein et al., arXiv 2306.04675.
    """

    model: str = options.text("vit_large_patch14_dinov2.lvd142m", doc="timm's name, ARCHITECTURE.TAG")
    weights: str | None = attrs.field(
        default=None, metadata={options.BOUND: "the path of a state dict of that model, or nothing: timm's download"}
    )
    size: int | None = options.integer(None, at_least=1, at_most=10**4, doc="nothing for the model's own")
    _net: nn.Module = attrs.field(init=False, repr=False)
    _steps: tuple[Any, ...] = attrs.field(init=False, repr=False)
    _config: dict[str, Any] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        timm = need("timm", "timm", "Install it: `pip install timm`.")
        data = need("timm.data", "timm")
        _check_name(timm, self.model, self.weights)
        with float32_layers():
            net = self._load(timm)
        config = dict(data.resolve_model_data_config(net))
        if self.size is not None:
            resample: Any = getattr(net, "set_input_size", None)
            if resample is not None:
                resample(img_size=(self.size, self.size))
            config["input_size"] = (3, self.size, self.size)
        steps = tuple(data.create_transform(**config, is_training=False).transforms)
        net = net.eval().requires_grad_(False)
        for name, value in {"_net": net, "_steps": steps, "_config": config}.items():
            object.__setattr__(self, name, value)

    def _load(self, timm: Any) -> nn.Module:
        if self.weights is None:
            return _fetched(timm, self.model)
        net: nn.Module = timm.create_model(self.model, pretrained=False, num_classes=0)
        fill(net, self.weights, f"{self.model!r} of timm", _UNUSED)
        return net

    @property
    def preprocessing(self) -> str:
        config = self._config
        _, height, width = config["input_size"]
        return (
            f"{RGB}, brought to {height} x {width} "
            f"({config['interpolation']}, antialiased, crop {config['crop_pct']:g} {config['crop_mode']}), "
            f"normalised with mean {tuple(config['mean'])} and std {tuple(config['std'])}, by timm "
            f"{version('timm')}"
        )

    def features(self, x: State) -> Tensor:
        return in_blocks(lambda rows: self._net(self._prepared(rows)), x)

    def _prepared(self, x: Tensor) -> Tensor:
        x = as_rgb(x)
        for step in self._steps:
            x = step(x.clamp(0, 1))  # what bicubic resizing overshoots; normalising comes last
        return x


def _fetched(timm: Any, model: str) -> nn.Module:
    """The network with timm's own weights, from its cache or the network, read as tensors alone."""
    source = timm.get_pretrained_cfg(model)
    given = 'Give the path of a state dict: weights = "PATH"'
    if not (source and source.has_weights):
        raise MissingFileError(f"timm knows no weights of {model!r}\n  {given}")
    what, url = f"the weights of {model!r}", source.url
    origin = f"https://huggingface.co/{source.hf_hub_id}" if source.hf_hub_id else url

    def load() -> nn.Module:
        with tensors_only():
            net: nn.Module = timm.create_model(model, pretrained=True, num_classes=0)
        return net

    try:
        if source.hf_hub_id:
            return from_hub(load, what, (source.hf_hub_id,), given)
        downloaded(url, hash_in(url), what, given)  # to where timm looks for it
        return load()
    except KineticError:
        raise
    except Exception as error:  # what is no file of weights fails in as many ways as there are libraries
        raise MissingFileError(
            f"{what} cannot be loaded from {origin}{forbidden()}: {why(error)}\n  {given}"
        ) from error


def _check_name(timm: Any, model: str, weights: str | None) -> None:
    architecture, _, tag = model.partition(".")
    if not timm.is_model(architecture):
        known = timm.list_models()
        error = unknown("timm has no model named", architecture, known)
        raise UnknownNameError(error.args[0].partition("\n")[0] + f"\n  `timm.list_models()` has all {len(known)}.")
    tags = [name.partition(".")[2] for name in timm.list_pretrained(f"{architecture}.*")]
    if tag and tag not in tags:
        raise unknown(f"{architecture!r} has no tag in timm named", tag, tags)
    if weights is not None and not tag:
        tagged = ", ".join(f"{architecture}.{name}" for name in tags) or "none known"
        raise OptionError(
            f"'model' must be given with a tag beside 'weights', which say nothing of preprocessing: {model!r}\n"
            f"  Name the tag they were trained as: {tagged}"
        )
