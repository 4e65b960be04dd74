"""Features of any network."""

from __future__ import annotations

import math
from typing import Any, ClassVar, final

import attrs
from torch import Tensor, nn
from torch.nn import functional

from kinetic import FeatureSpace, in_blocks, options
from kinetic.errors import OptionError, ShapeError
from kinetic.networks import fill, imported, in_dtype_of, made
from kinetic.types import State
from kinetic_features.images import RGB, as_rgb


def _three(doc: str) -> Any:
    def check(instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        numbers = isinstance(value, tuple) and all(isinstance(v, int | float) and math.isfinite(v) for v in value)
        if value is not None and not (numbers and len(value) == 3):
            raise OptionError(f"{attribute.name!r} must be three numbers, or nothing: {value!r}")

    return attrs.field(
        default=None,
        validator=check,
        converter=lambda value: tuple(map(options.as_number, value)) if isinstance(value, list | tuple) else value,
        metadata={options.BOUND: "three numbers, or nothing", options.DOC: doc},
    )


@final
@attrs.frozen(eq=False)
class ModuleFeatures(FeatureSpace):
    """What a network of yours makes of samples, flattened to `(m, f)`. It is set to evaluation, without gradients.

    Samples come to it in the dtype of its parameters. What it makes is not converted.

    Given in words it runs the code it names, so no recipe may name it: only Python, or the command line by
    `--features module:PACKAGE.MODULE:ATTRIBUTE`.

    Args:
        module: an `nn.Module`, or `PACKAGE.MODULE:ATTRIBUTE`, one or what makes one when called without arguments.
        weights: path of a `.safetensors` or `.pth` state dict for it. `mean` and `std` must then be given.
        mean, std: images are brought to three channels in [0, 1] and normalised with these; 0.5 and 0.5 make [-1, 1].
            Without them the network is handed samples as they are, images in [-1, 1].
        size: height and width images are brought to before (bicubic, antialiased, clipped), with `mean` and `std` only.
    """

    imports_code: ClassVar[bool] = True

    module: str | nn.Module = attrs.field(metadata={options.BOUND: "PACKAGE.MODULE:ATTRIBUTE; in Python an nn.Module"})
    weights: str | None = attrs.field(default=None, metadata={options.BOUND: "the path of a state dict, or nothing"})
    mean: tuple[float, ...] | None = _three("of each channel, to be taken off")
    std: tuple[float, ...] | None = _three("of each channel, to divide by")
    size: int | None = options.integer(None, at_least=1, at_most=10**4, doc="nothing for no resizing")
    _net: nn.Module = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if (self.mean is None) != (self.std is None):
            raise OptionError("'mean' and 'std' must be given both or neither")
        if self.std is not None and min(self.std) <= 0:
            raise OptionError(f"'std' must be above 0: {self.std!r}")
        if self.size is not None and self.mean is None:
            raise OptionError("'size' must be given with 'mean' and 'std', and only for images")
        if self.weights is not None and self.mean is None:
            raise OptionError(
                f"'mean' and 'std' must be given beside 'weights', which say nothing of preprocessing: {self.weights!r}"
            )
        net = self.module if isinstance(self.module, nn.Module) else _network(self.module)
        if self.weights is not None:
            fill(net, self.weights, type(net).__name__)
        object.__setattr__(self, "_net", net.eval().requires_grad_(False))

    @property
    def preprocessing(self) -> str:
        if self.mean is None or self.std is None:
            return "samples as they are"
        resized = "" if self.size is None else f", resized to {self.size} x {self.size} (bicubic, antialiased, clipped)"
        return f"{RGB}{resized}, normalised with mean {self.mean} and std {self.std}"

    def features(self, x: State) -> Tensor:
        return in_blocks(self._asked, x)

    def _asked(self, x: Tensor) -> Tensor:
        answer = self._net(in_dtype_of(self._net, self._prepared(x)))
        if not isinstance(answer, Tensor) or answer.dim() < 1 or len(answer) != len(x):
            got = tuple(answer.shape) if isinstance(answer, Tensor) else type(answer).__name__
            raise ShapeError(f"{type(self._net).__name__} must answer {len(x)} samples with as many vectors: {got}")
        return answer.flatten(1) if answer.dim() > 1 else answer[:, None]

    def _prepared(self, x: Tensor) -> Tensor:
        if self.mean is None or self.std is None:
            return x
        rgb = as_rgb(x)
        if self.size is not None and rgb.shape[-2:] != (self.size, self.size):
            rgb = functional.interpolate(rgb, (self.size, self.size), mode="bicubic", antialias=True).clamp(0, 1)
        mean, std = (rgb.new_tensor(value)[:, None, None] for value in (self.mean, self.std))
        return (rgb - mean) / std


def _network(words: Any) -> nn.Module:
    target = imported(words)
    net = target if isinstance(target, nn.Module) else made(words, target)
    if not isinstance(net, nn.Module):
        raise OptionError(f"'module' must be or make an nn.Module: {words!r} is {type(net).__name__}")
    return net
