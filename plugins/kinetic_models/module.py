"""The velocity of any network, by a declared convention."""

from __future__ import annotations

import math
from typing import Any, ClassVar, final

import attrs
import torch
from torch import Tensor, nn

from kinetic import Batch, VelocityField, options
from kinetic.errors import OptionError
from kinetic.networks import fill
from kinetic.types import PerSample, State
from kinetic_models.call import Call
from kinetic_models.conventions import CONVENTIONS
from kinetic_models.network import check_evaluation, check_read, network_of, owner_of
from kinetic_models.paths.linear import Linear
from kinetic_models.paths.path import Path
from kinetic_models.paths.sigma import Sigma
from kinetic_models.paths.variance_exploding import VarianceExploding
from kinetic_models.paths.variance_preserving import BETAS, VariancePreserving
from kinetic_models.predictions import PREDICTIONS

_TINY = 1e-9  # of a step
_DTYPES = {name: getattr(torch, name) for name in ("float32", "float64", "bfloat16", "float16")}


def listed(value: Any) -> Any:
    """A list, as TOML has it, as a tuple; anything else as it is."""
    return tuple(value) if isinstance(value, list) else value


def _check_shape(instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    whole = isinstance(value, tuple) and value and all(type(n) is int and n > 0 for n in value)
    if not whole:
        raise OptionError(f"'shape' must be that of one sample, as [4, 32, 32]: {value!r}")


def shape_option() -> Any:
    """The shape of one sample, as an option."""
    meant = {options.BOUND: "a list of ints", options.DOC: "of one sample, as [4, 32, 32]"}
    return attrs.field(converter=listed, validator=_check_shape, metadata=meant)


def _check_output(instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | str)):
        raise OptionError(f"'output' must be an index, a key or the name of an attribute, or nothing: {value!r}")


@final
@attrs.frozen(eq=False)
class ModuleField(VelocityField):
    """The velocity of a network of yours, whatever its convention, which is declared and never guessed.

    Whatever Gaussian path the network was trained on, y = a(s) x1 + b(s) e, its samples move along the line
    x_t = t x1 + (1 - t) T e, with x = y / (a + b) and t = a / (a + b), by v = dx/dt: the probability-flow ODE. Energies
    are those along the line, not along y: they are not invariant to the map, which is in the provenance (`time_map`).

    A name in words runs the code that it names, so no recipe may hold it: `kinetic run RECIPE --field
    module:PACKAGE.MODULE:ATTRIBUTE` supplies it, and nothing else. Weights are read as tensors alone.

    Args:
        module: an `nn.Module`, a method of one, or a callable; in words one, or what makes one when called without
            arguments. One that is made so is set to evaluation; one that is handed over must be. Tensors that a plain
            function closes over are not seen: they are not moved to the device, nor hashed.
        shape: of one sample.
        convention: one of `CONVENTIONS`: what the options below are where they are not given.
        order: of its arguments: x then t, t then x, or by keywords.
        zero: what its time 0 is, on the linear path.
        predicts: what it answers. A score is grad log p of its own state y; v is a e - b x1.
        path: linear, vp (denoising diffusion), ve, or sigma (EDM).

    Raises:
        OptionError: an option that the convention needs is missing, or does not go with another one; tensors in
            `weights` are missing or unexpected (counted and shown); the network is in training mode.

    Source: Lipman et al., arXiv 2210.02747 (linear); Song et al., arXiv 2011.13456 (probability-flow ODE); each
    convention: docs/your-model.md.
    """

    imports_code: ClassVar[bool] = True

    module: Any = attrs.field(
        metadata={options.BOUND: "PACKAGE.MODULE:ATTRIBUTE; in Python an nn.Module or a callable"}
    )
    shape: tuple[int, ...] = shape_option()
    convention: str | None = options.choice(
        *CONVENTIONS, default=None, doc="a published model's, in place of the options below"
    )
    weights: str | None = options.text(None, doc="path of a .safetensors or torch state dict for it")
    key: str | None = options.text(None, doc='where in the file the state dict is, such as "ema"')
    prefix: str | None = options.text(None, doc='how its names begin in the file, such as "module."')
    order: str | None = options.choice("xt", "tx", "keywords", default=None, doc="of its arguments")
    keywords: tuple[str, ...] = options.texts((), doc="names of x, t, a second time, classes; x, t and y")
    t: str | None = options.choice(
        "batch", "scalar", "integer", default=None, doc="a time a sample, one for all, or whole steps; batch"
    )
    second_time: str | None = options.choice(
        "none", "zero", "same", default=None, doc="a time after t: 0, or t again (MeanFlow); none"
    )
    t_dtype: str | None = options.choice(
        "float32", "samples", default=None, doc="of the times: float32, or that of the samples; float32"
    )
    zero: str | None = options.choice("noise", "data", default=None, doc="what its time 0 is")
    scale: float = options.number(1.0, above=0, doc="what its time is multiplied by, such as 1000")
    predicts: str | None = options.choice(*PREDICTIONS, default=None, doc="what it answers")
    path: str | None = options.choice("linear", "vp", "ve", "sigma", default=None, doc="from noise to data")
    betas: str | None = options.choice(*BETAS, default=None, doc="how those of vp rise; linear")
    beta_min: float | None = options.number(None, above=0, below=1, doc="of vp")
    beta_max: float | None = options.number(None, above=0, below=1, doc="of vp")
    train_steps: int | None = options.integer(None, at_least=2, doc="of vp")
    sigma_min: float | None = options.number(None, above=0, doc="of ve and sigma")
    sigma_max: float | None = options.number(None, above=0, doc="of ve and sigma")
    channels: int | None = options.integer(None, at_least=1, doc="of its answer, how many are kept (learn_sigma)")
    output: int | str | None = attrs.field(
        default=None,
        validator=_check_output,
        metadata={
            options.BOUND: "an int or a string, or nothing",
            options.DOC: "which part of a tuple, dict or object",
        },
    )
    classes: int | None = options.integer(None, at_least=1, doc="how many it knows; it takes labels after the times")
    labels: str | None = options.choice("index", "one-hot", default=None, doc="how it takes classes; index")
    null: int | None = options.integer(None, at_least=0, doc="the class that stands for none")
    dtype: str | None = options.choice(*_DTYPES, default=None, doc="what it is converted to; as it is")
    noise_scale: float | None = options.number(None, above=0, doc="T, of the noise it was trained on; 1")
    t_min: float | None = options.number(None, at_least=0, below=1, doc="kinetic's t it is asked at, the earliest")
    t_max: float | None = options.number(None, above=0, at_most=1, doc="and the latest; one clamp for all of it")
    _net: nn.Module | None = attrs.field(init=False, repr=False)  # of the tensors: moved to a device, and hashed
    _call: Call = attrs.field(init=False, repr=False)
    _path: Path = attrs.field(init=False, repr=False)
    _clamp: tuple[float, float] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        path = self._made_path()
        object.__setattr__(self, "_path", path)
        object.__setattr__(self, "_clamp", self._made_clamp(path))
        for need in ("order", "predicts"):
            self._needed(need)
        self._check_read()
        net = network_of(self.module)
        object.__setattr__(self, "_net", owner_of(net))
        self._fill_net()
        names = ("order", "t", "second_time", "labels", "classes", "null", "output", "channels")
        asked = {name: self._chosen(name) for name in names}
        asked |= {"t": asked["t"] or "batch", "second_time": asked["second_time"] or "none"}
        call = Call(net, keywords=self._keywords(), **asked | {"labels": asked["labels"] or "index"})
        object.__setattr__(self, "_call", call)

    def _check_read(self) -> None:
        kind, betas, order = self._chosen("path"), self._chosen("betas"), self._chosen("order")
        classes = self._chosen("classes")
        for reader, there, names in (
            ("the path 'vp'", kind == "vp", ("betas", "beta_min", "beta_max", "train_steps")),
            ("betas that are not 'cosine'", betas != "cosine", ("beta_min", "beta_max")),
            ("the paths 've' and 'sigma'", kind in ("ve", "sigma"), ("sigma_min", "sigma_max")),
            ("networks with `classes`", classes is not None, ("labels", "null")),
            ("labels = 'index'", self._chosen("labels") != "one-hot", ("null",)),
            ("order = 'keywords'", order == "keywords", ("keywords",)),
            ("a file of `weights`", self.weights is not None, ("key", "prefix")),
        ):
            check_read(self, reader, there, *names)

    def _keywords(self) -> tuple[str, ...]:
        second, classes = self._chosen("second_time") not in (None, "none"), self._chosen("classes") is not None
        told = ("x", "t", *("a second time",) * second, *("classes",) * classes)
        names = self.keywords or (() if second else ("x", "t", "y")[: len(told)])
        if self._chosen("order") == "keywords" and len(names) != len(told):
            raise OptionError(f"'keywords' must name {', '.join(told)}: {list(names)}")
        return names

    def _fill_net(self) -> None:
        """Weights and dtype as declared, of a network in evaluation."""
        net = self._net
        for name in ("weights", "dtype"):
            if net is None and getattr(self, name) is not None:
                raise OptionError(f"{name!r} is of an nn.Module or a method of one: {self.module!r} is neither")
        if net is not None:
            check_evaluation(net)
            if self.weights is not None:
                fill(net, self.weights, type(net).__name__, key=self.key, prefix=self.prefix)
            if self.dtype is not None:
                net.to(_DTYPES[self.dtype])

    @property
    def event_shape(self) -> torch.Size:
        return torch.Size(self.shape)

    @property
    def time_map(self) -> str:
        return f"{self._path.words}, t in [{self._clamp[0]:g}, {self._clamp[1]:g}]"

    def start(self, z: State, batch: Batch | None = None) -> State:
        return z * self._noise if self._noise != 1 else z

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        t = self._path.held(t.clamp(*self._clamp))
        size = self._path.size(t)
        net_dtype = self._dtype(x)
        s = self._path.time(t) * self.scale
        s = s.round().long() if self._call.t == "integer" else s.to(self._time_dtype(net_dtype))
        at, k = (each.to(x.dtype).view(-1, *[1] * (x.dim() - 1)) for each in (t, size))
        labels = None if batch is None else batch.condition
        if labels is not None and self._call.classes is None:
            raise OptionError("samples are asked for classes, and the network takes none: say how many, classes = N")
        answer = self._call((x * k).to(net_dtype), s, labels).to(x.dtype)
        sign = -1.0 if self._chosen("zero") == "data" else 1.0
        return PREDICTIONS[self._chosen("predicts")](answer, x, at, k, self._noise, sign)

    @property
    def _noise(self) -> float:
        return self._chosen("noise_scale") or 1.0

    def _chosen(self, name: str) -> Any:
        """An option, or the convention's where it is not given."""
        given = getattr(self, name)
        return CONVENTIONS[self.convention].get(name) if given is None and self.convention else given

    def _needed(self, name: str) -> Any:
        value = self._chosen(name)
        if value is None:
            raise OptionError(
                f"field 'module' needs the option {name!r}, or a `convention` that has it: it is not guessed"
            )
        return value

    def _made_path(self) -> Path:
        kind, zero = self._needed("path"), self._chosen("zero")
        self._check_whole(kind)
        if kind == "linear":
            return Linear(self._needed("zero") == "noise", int(self.scale) if self._whole else None)
        if zero is not None:
            raise OptionError(f"'zero' is for the linear path: time 0 of the path {kind!r} is data")
        if self._chosen("predicts") == "velocity":
            raise OptionError(f"'predicts' must be x1, noise, score, v or denoised on the path {kind!r}: 'velocity'")
        if kind == "vp":
            betas = self._chosen("betas") or "linear"
            low = high = None
            if betas != "cosine":
                low, high = self._needed("beta_min"), self._needed("beta_max")
                if low > high:
                    raise OptionError(f"'beta_min' must be at most 'beta_max': {low:g} and {high:g}")
            return VariancePreserving(betas, low, high, self._needed("train_steps"), whole=self._whole)
        low, high = self._needed("sigma_min"), self._needed("sigma_max")
        if not low < high:
            raise OptionError(f"'sigma_min' must be below 'sigma_max': {low:g} and {high:g}")
        return Sigma(low, high) if kind == "sigma" else VarianceExploding(low, high)

    def _made_clamp(self, path: Path) -> tuple[float, float]:
        low, high = (given if given is not None else end for given, end in zip(self._times(), path.ends, strict=True))
        if self._whole and isinstance(path, Linear):  # the steps inside
            low, high = (
                math.ceil(low * self.scale - _TINY) / self.scale,
                math.floor(high * self.scale + _TINY) / self.scale,
            )
        predicts = self._chosen("predicts")
        if predicts in ("x1", "denoised") and high >= 1:
            raise OptionError(f"'t_max' must be below 1 for a network that predicts {predicts}: v = (x1 - x) / (1 - t)")
        if predicts in ("noise", "score") and low <= 0:
            raise OptionError(f"'t_min' must be above 0 for a network that predicts {predicts}: v = (x - e) / t")
        if not low < high:
            raise OptionError(f"'t_min' must be below 't_max': {low:g} and {high:g}")
        return low, high

    @property
    def _whole(self) -> bool:
        return bool(self._chosen("t") == "integer")

    def _check_whole(self, kind: str) -> None:
        if not self._whole:
            return
        if kind in ("ve", "sigma"):
            raise OptionError(f"t = 'integer' is for the paths 'linear' and 'vp': {kind!r} has no whole steps")
        if kind == "vp" and self.scale != 1:
            raise OptionError(f"'scale' must be 1 where steps of 'vp' are told whole, t = 'integer': {self.scale:g}")
        if kind == "linear" and (self.scale < 2 or self.scale != int(self.scale)):
            raise OptionError(f"'scale' must be the whole number of steps where t = 'integer': {self.scale:g}")

    def _times(self) -> tuple[float | None, float | None]:
        return self._chosen("t_min"), self._chosen("t_max")

    def _dtype(self, x: Tensor) -> torch.dtype:
        """The one floating dtype of the network's parameters, else that of x."""
        tensors = () if self._net is None else self._net.parameters()
        dtypes = {each.dtype for each in tensors if each.is_floating_point()}
        return dtypes.pop() if len(dtypes) == 1 else x.dtype

    def _time_dtype(self, dtype: torch.dtype) -> torch.dtype:
        low = dtype in (torch.float16, torch.bfloat16)
        return torch.float32 if low and self._chosen("t_dtype") != "samples" else dtype
