"""Where a run came from: options, hashes, versions."""

from __future__ import annotations

import datetime
import hashlib
import importlib.metadata
import platform
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import torch
from torch import Tensor

from kinetic._plugins.registry import Registry
from kinetic._roles.component import Component

if TYPE_CHECKING:
    from kinetic._sample.runner import Runner

TIME_MAP = "t = 0 noise, t = 1 data, v = dx/dt, unit time; energies in squared data units, summed over elements"

_PACKAGES = (
    "kinetic-flow",
    "torch",
    "torchvision",
    "numpy",
    "scipy",
    "open-clip-torch",
    "pytorch-fid",
    "timm",
    "scikit-learn",
)


def options_of(component: Any, known: Registry) -> Any:
    """A component as a recipe would write it, every option spelt out; tensors as their shape."""
    component = unwrap(component)
    if isinstance(component, Component):
        fields = [field for field in attrs.fields(type(component)) if field.init]
        given = {field.alias: options_of(getattr(component, field.name), known) for field in fields}
        return {"name": known.name_of(component), **given}
    if isinstance(component, Tensor):
        return f"tensor of shape {tuple(component.shape)}"
    if isinstance(component, tuple | list):
        return [options_of(item, known) for item in component]
    return component if isinstance(component, str | int | float | bool | None) else repr(component)


def unwrap(component: Any) -> Any:
    """The component that this one stands for, given as `wraps`, or itself."""
    while (inner := getattr(component, "wraps", None)) is not None:
        component = inner
    return component


def parts_of(runner: Runner) -> dict[str, Component]:
    """The components of a runner, under the names a recipe gives them."""
    parts: dict[str, Component] = {"field": runner.field, "solver": runner.solver}
    if runner.schedule:
        parts["schedule"] = runner.schedule
    parts |= {f"energy.{name}": meter for name, meter in runner.meters.items()}
    return parts | {f"metrics.{name}": metric for name, metric in runner.metrics.items()}


def weight_hashes(runners: Mapping[str, Runner]) -> dict[str, dict[str, str]]:
    """SHA-256 of all tensors in each component that holds any: `{arm: {part: hash}}`."""
    known: dict[int, str | None] = {}
    hashes: dict[str, dict[str, str]] = {}
    for arm, runner in runners.items():
        hashes[arm] = {}
        for name, part in parts_of(runner).items():
            if id(part) not in known:
                known[id(part)] = hash_of(part)
            if (found := known[id(part)]) is not None:
                hashes[arm][name] = found
    return hashes


def environment(device: torch.device) -> dict[str, Any]:
    """Versions and machine."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else str(device),
        "threads": torch.get_num_threads(),
        "packages": versions(),
    }


def versions() -> dict[str, str]:
    """Of the packages that compute, as far as they are here."""
    return {name: version for name in _PACKAGES if (version := _version(name))}


def now() -> str:
    """The time, with its zone."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def hash_of(component: Component) -> str | None:
    """SHA-256 of all tensors in a component, or None where there are none."""
    digest, any_found = hashlib.sha256(), False
    for tensor in _tensors(component):
        any_found = True
        digest.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest() if any_found else None


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, torch.nn.Module):
        yield from (tensor for _, tensor in sorted(value.state_dict().items()))
    elif isinstance(value, Component):
        for field in attrs.fields(type(value)):
            yield from _tensors(getattr(value, field.name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _tensors(item)
