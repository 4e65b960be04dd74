"""Classes of torchmetrics by name: which may be had, how they are made, what they take and give."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from kinetic.errors import KineticError, MissingPackageError, OptionError, unknown

MODULES = ("classification", "clustering", "image", "regression")
"""Modules of torchmetrics that metrics are taken of."""

WORDS = ("samples", "features", "reference", "classes", "real")
"""What an argument of `update` may be."""

_SHOWN = 20  # numbers of one metric
_IMAGE = (  # those of `image` that load no network but one they are given: others may download what nobody asked for
    "ErrorRelativeGlobalDimensionlessSynthesis",
    "FrechetInceptionDistance",
    "InceptionScore",
    "KernelInceptionDistance",
    "MemorizationInformedFrechetInceptionDistance",
    "MultiScaleStructuralSimilarityIndexMeasure",
    "PeakSignalNoiseRatio",
    "PeakSignalNoiseRatioWithBlockedEffect",
    "RelativeAverageSpectralError",
    "RootMeanSquaredErrorUsingSlidingWindow",
    "SpatialCorrelationCoefficient",
    "SpectralAngleMapper",
    "SpectralDistortionIndex",
    "StructuralSimilarityIndexMeasure",
    "TotalVariation",
    "UniversalImageQualityIndex",
    "VisualInformationFidelity",
)
_MERGING = ("dim_zero_sum", "dim_zero_max", "dim_zero_min")  # how tensors are put together, whoever saw what


def metric_class(name: str) -> Any:
    """The class `MODULE.CLASS` of torchmetrics, one of those that may be had. Nothing outside it is ever imported.

    Raises:
        MissingPackageError: torchmetrics is not installed.
        OptionError, UnknownNameError: there is no such metric, or it is not one that may be had.
    """
    module, _, cls = name.partition(".")
    if module not in MODULES or not cls.isidentifier():
        raise OptionError(
            f"'metric' must be MODULE.CLASS of torchmetrics, MODULE one of {', '.join(MODULES)}: {name!r}\n"
            '  As in metric = "image.StructuralSimilarityIndexMeasure".'
        )
    try:
        base = importlib.import_module("torchmetrics").Metric
        offered = importlib.import_module(f"torchmetrics.{module}")
    except ImportError as error:
        way = 'pip install "kinetic-flow[torchmetrics]"'
        raise MissingPackageError(f"metric 'torchmetrics' needs torchmetrics: {way} ({error})") from error
    known = [
        each for each in offered.__all__ if inspect.isclass(made := getattr(offered, each)) and issubclass(made, base)
    ]
    if cls not in known:
        raise unknown(f"torchmetrics.{module} has no metric", cls, known)
    if module == "image" and cls not in _IMAGE:
        raise OptionError(
            f"torchmetrics' {name} is not offered: it may load, and download, a network of its own\n"
            f"  Offered of that module are {', '.join(_IMAGE)}."
        )
    return getattr(offered, cls)


def arguments_of(cls: Any) -> tuple[str, ...]:
    """What its `update` takes, by name."""
    return tuple(inspect.signature(cls.update).parameters)[1:]


def takes_features(cls: Any) -> bool:
    """Whether it looks at images by a network that it is given, as its option `feature`."""
    return "feature" in inspect.signature(cls.__init__).parameters


def make(cls: Any, given: Mapping[str, Any], width: int) -> Any:
    """A metric in float64 that speaks to no other process; where it takes a network, for features `(m, width)`.

    Raises:
        OptionError: torchmetrics refuses the options.
    """
    network = {"feature": Features(width)} if takes_features(cls) else {}
    with warnings.catch_warnings():  # of the memory that it will need
        warnings.simplefilter("ignore", UserWarning)
        try:
            made = cls(**network, **given, sync_on_compute=False)
        except (TypeError, ValueError, RuntimeError, ImportError) as error:
            raise OptionError(f"'options' are not those of torchmetrics' {cls.__name__}: {error}") from error
    return made.set_dtype(torch.float64)


def merges(metric: Any) -> bool:
    """Whether all its states can be put together: sums, extremes and lists."""
    return all(
        isinstance(default, list) or getattr(metric._reductions[name], "__name__", "") in _MERGING
        for name, default in metric._defaults.items()
    )


class Features(nn.Module):
    """Stands where a metric wants a network: what it is shown are features already.

    Args:
        num_features: their width, under the name that torchmetrics asks for.
    """

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features


def by_signature(name: str, cls: Any) -> tuple[str, ...]:
    """What `update` is given where nobody says, which holds for metrics of images alone and of images beside others."""
    what = "features" if takes_features(cls) else "samples"
    match arguments_of(cls):
        case (_,):
            return (what,)
        case (_, "real"):
            return (what, "real")
    taken = arguments_of(cls)
    raise OptionError(
        f"'arguments' must say what `update` of {name} is given, a word for each of {', '.join(taken)}: "
        f'{", ".join(WORDS)}\n  As in arguments = ["samples", "reference"].'
    )


def check_arguments(name: str, cls: Any, words: tuple[str, ...]) -> None:
    """Refuse words that are not what its `update` takes."""
    taken, odd = arguments_of(cls), [word for word in words if word not in WORDS]
    if odd:
        raise OptionError(f"'arguments' must be among {', '.join(WORDS)}: {odd[0]!r}")
    if len(words) != len(taken):
        raise OptionError(
            f"'arguments' must be {len(taken)} words, as `update` of {name} takes {', '.join(taken)}: {words}"
        )
    if ("real" in words) != ("real" in taken) or (words and words[0] == "real"):
        raise OptionError(f"'real' stands for the argument of that name: `update` of {name} takes {', '.join(taken)}")
    if not {"samples", "features"} & set(words):
        raise OptionError(f"'arguments' must hold 'samples' or 'features', or nothing is scored: {words}")
    if takes_features(cls) and "features" not in words:
        raise OptionError(f"'arguments' must hold 'features': {name} looks at images by a network: {words}")


def numbers(result: Any) -> dict[str, float]:
    """What `compute` gave, by name: `value`, or `value_0` and so on, or the names that it has itself."""
    named = result.items() if isinstance(result, Mapping) else None
    parts = dict(named) if named is not None else {"value": result}
    found: dict[str, float] = {}
    for name, part in parts.items():
        each = [
            torch.as_tensor(one).detach().double().flatten() for one in (part if isinstance(part, tuple) else [part])
        ]
        flat = torch.cat(each)
        several = isinstance(part, tuple) or flat.numel() != 1
        found |= {f"{name}_{i}" if several else name: value for i, value in enumerate(flat.tolist())}
    if not 1 <= len(found) <= _SHOWN:
        raise OptionError(f"it gives {len(found)} numbers, and a metric has 1 to {_SHOWN}: average them by its options")
    return found


@contextlib.contextmanager
def translated(name: str) -> Iterator[None]:
    """What torchmetrics says of values that it cannot take, as an error of kinetic."""
    try:
        yield
    except (ValueError, TypeError, RuntimeError, NotImplementedError) as error:
        if isinstance(error, KineticError) or "memory" in str(error):
            raise
        raise OptionError(f"torchmetrics' {name} cannot take what it is shown: {str(error).strip()}") from error
