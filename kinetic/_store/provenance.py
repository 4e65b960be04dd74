"""Where a run came from: options, hashes, versions."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import importlib.metadata
import inspect
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kinetic._plugins.registry import Registry
from kinetic._roles.component import Component
from kinetic._roles.dataset import Dataset
from kinetic._roles.field import VelocityField
from kinetic._roles.tree import hash_of, inside, options_given, unwrap, walk
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
    """A component, or a value, as a recipe would write it, every option spelt out; tensors as their shape."""
    component = unwrap(component)
    if isinstance(component, Component):
        given = {name: options_of(value, known) for name, value in options_given(component).items()}
        return {"name": known.name_of(component), **given}
    if isinstance(component, Tensor):
        return f"tensor of shape {tuple(component.shape)}"
    if isinstance(component, tuple | list):
        return [options_of(item, known) for item in component]
    if isinstance(component, Mapping):
        return {str(name): options_of(value, known) for name, value in component.items()}
    return component if isinstance(component, str | int | float | bool | None) else repr(component)


def owners(parts: Iterable[Any], known: Registry) -> dict[str, str]:
    """Who offers each component inside, `{"solver euler": "kinetic_solvers (kinetic-flow 0.1.0)"}`, in order."""
    plugins = {plugin.name: f"{plugin.name} ({plugin.distribution} {plugin.version})" for plugin in known.plugins}
    offered = {
        cls: (f"{role} {name}", plugins.get(known.origins[role, name], known.origins[role, name]))
        for role, classes in known.classes.items()
        for name, cls in classes.items()
    }
    used = {type(unwrap(each)) for part in parts for each in inside(part, Component)}
    unknown = {f"{cls.__module__}.{cls.__qualname__}": "no plugin" for cls in used if cls not in offered}
    return dict(sorted(offered[cls] for cls in used if cls in offered)) | dict(sorted(unknown.items()))


def parts_of(runner: Runner) -> dict[str, Component]:
    """The components of a runner, under the names a recipe gives them."""
    parts: dict[str, Component] = {"field": runner.field, "solver": runner.solver}
    if runner.schedule:
        parts["schedule"] = runner.schedule
    parts |= {f"energy.{name}": meter for name, meter in runner.meters.items()}
    return parts | {f"metrics.{name}": metric for name, metric in runner.metrics.items()}


def time_maps(field: VelocityField) -> list[str]:
    """How the times of the models inside a field go with kinetic's, of those that say so."""
    return [each.time_map for each in walk(field) if isinstance(each, VelocityField) and each.time_map]


_NOT_THEIRS = ("builtins", "abc", "torch", "kinetic")

PACKAGES = ("torch", "numpy")
"""Packages that samples depend on, whoever makes them."""

SHARED = "[run]"
"""Under which an identity has what all runs have in common: no arm can be called so."""

CODE = "code of "
"""How the name of a hash of source code begins, among those of weights."""


DATA = "points of "
"""How the name of a hash of data begins that are read when they are asked for."""

_ROWS = 256  # points that are read at a time


def weight_hashes(
    parts: Mapping[str, Mapping[str, Component]], memo: dict[int, bytes] | None = None
) -> dict[str, dict[str, str]]:
    """SHA-256 of all tensors in each component that holds any, `{arm: {part: hash}}`; each tensor is read once.

    `memo` as of `hash_of`.
    """
    memo = {} if memo is None else memo
    return {
        arm: {name: digest for name, part in own.items() if (digest := hash_of(part, memo)) is not None}
        for arm, own in parts.items()
    }


def identity(
    parts: Mapping[str, Mapping[str, Component]],
    seeds: Mapping[str, int],
    known: Registry,
    device: torch.device,
    start: Dataset | None,
    prompts: Sequence[str],
    memo: dict[int, bytes] | None = None,
) -> dict[str, dict[str, str]]:
    """What makes the samples of a run beside its recipe, `{run: {what: digest or version}}`.

    Options as they are spelt out, tensors, the points of data sets, and the code of fields. Under `SHARED` what all
    have in common: the data they begin at, prompts, packages, plugins and the kind of device. Not what judges them.
    `memo` as of `hash_of`.
    """
    memo = {} if memo is None else memo
    made = {run: {name: part for name, part in own.items() if not _judges(name)} for run, own in parts.items()}
    hashes = weight_hashes({**made, **({} if start is None else {SHARED: {"start": start}})}, memo)
    bound = {
        run: {
            "options": digest([seeds[run], {name: options_of(part, known) for name, part in own.items()}]),
            **hashes.get(run, {}),
            **{f"{DATA}{name}": points for name, part in own.items() if (points := data_hash(part, memo)) is not None},
            **code_hashes(own["field"]),
        }
        for run, own in made.items()
    }
    shared = {"device": device.type, **{name: version for name in PACKAGES if (version := _version(name))}}
    used = owners([part for own in made.values() for part in own.values()], known).values()
    shared |= {"plugins": "; ".join(sorted(set(used))), **hashes.get(SHARED, {})}
    if start is not None:
        shared["options of start"] = digest(options_of(start, known))
        if (points := data_hash(start, memo)) is not None:
            shared[f"{DATA}start"] = points
    if prompts:
        shared["prompts"] = hashlib.sha256("\n".join(prompts).encode()).hexdigest()
    return {**bound, SHARED: shared}


def data_hash(component: Any, memo: dict[int, bytes]) -> str | None:
    """SHA-256 of the points of the data sets inside that do not hold them but read them, or None where there are none.

    What holds all its points, in memory or mapped, has them in its weights. `memo` as of `hash_of`.
    """
    datasets = [unwrap(each) for each in walk(component) if isinstance(each, Dataset)]
    sets = {id(each): each for each in datasets if not _holds_points(each)}
    for key, data in sets.items():
        if key not in memo:
            read = hashlib.sha256()
            for start in range(0, len(data), _ROWS):
                points = data.read(start, min(start + _ROWS, len(data))).cpu().contiguous()
                read.update(f"{points.dtype}{tuple(points.shape)}".encode())
                read.update(points.flatten().view(torch.uint8).numpy().data)
            memo[key] = read.digest()
    return hashlib.sha256(b"".join(memo[key] for key in sets)).hexdigest() if sets else None


def _holds_points(data: Dataset) -> bool:
    held = [each.size if isinstance(each, np.ndarray) else each.numel() for each in walk(data) if _is_array(each)]
    return max(held, default=0) >= len(data) * data.event_shape.numel()


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray | Tensor)


def digest(value: Any) -> str:
    """A short digest of a tree of plain values."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=repr).encode()).hexdigest()[:32]


def _judges(part: str) -> bool:
    return part.startswith("metrics.")


def code_hashes(field: Component) -> dict[str, str]:
    """`{"code of NAME": SHA-256}` of the source of every component, network and function in a field.

    Of classes with those they inherit from. Torch's own, the roles, and what has no source are left out.
    """
    held = list(walk(field))
    networks = [inner for each in held if isinstance(each, nn.Module) for inner in each.modules()]
    components = [each for each in held if isinstance(each, Component)]
    classes: list[Any] = [base for each in (*components, *networks) for base in type(each).__mro__]
    functions = [each for each in held if inspect.isfunction(each)]
    hashes = {}
    for code in dict.fromkeys((*classes, *functions)):
        if code.__module__.partition(".")[0] not in _NOT_THEIRS:
            with contextlib.suppress(OSError, TypeError):
                source = inspect.getsource(code).encode()
                hashes[f"{CODE}{code.__module__}.{code.__qualname__}"] = hashlib.sha256(source).hexdigest()
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
