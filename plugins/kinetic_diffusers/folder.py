"""Folders that `save_pretrained` of diffusers wrote."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import torch

from kinetic import options
from kinetic.errors import MissingPackageError, OptionError
from kinetic.networks import tensors_only, why
from kinetic_diffusers.allowed import diffusers

_SHOWN = 4  # names of tensors that an error shows
REMEDY = "Give a local folder that `save_pretrained` of diffusers wrote, of a pipeline or of the part itself."


def folder_of(location: str, option: str, part: str, allowed: Collection[str]) -> Path:
    """The folder of a part of a pipeline, itself or below the pipeline's, that holds one of the allowed classes.

    Raises:
        MissingFileError, OptionError: it holds none; the message says what it holds.
    """
    folder = options.existing_folder(location, what=option, remedy=REMEDY)
    folder = folder / part if (folder / part).is_dir() else folder
    name = class_of(folder, option)
    if name not in allowed:
        raise OptionError(f"{option!r} is a {name!r}; known are {', '.join(allowed)}: {folder}")
    return folder


def class_of(folder: Path, option: str) -> str:
    """The class that a folder says it holds."""
    return str(config_of(folder / "config.json", option).get("_class_name"))


def config_of(path: Path, option: str) -> dict[str, Any]:
    """What a config, or an index of shards, says."""
    path = options.existing_file(path, what=option, remedy=REMEDY)
    try:
        config = json.loads(path.read_bytes())
        return {**config}
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise OptionError(f"{option!r} has no readable config: {path}: {error}\n  {REMEDY}") from error


def loaded(folder: Path, option: str, who: str, dtype: torch.dtype) -> Any:
    """The network in a folder, of the class that it says it holds, in evaluation; from safetensors alone.

    Raises:
        OptionError: diffusers is not installed, or the folder holds no tensors that fit: those that are missing, which
            diffusers would draw at random, and those that are not expected are counted and shown.
    """
    cls = getattr(diffusers_package(who), class_of(folder, option))
    asked = {"local_files_only": True, "use_safetensors": True, "torch_dtype": dtype, "output_loading_info": True}
    _check_files(folder, option)
    try:
        with tensors_only():
            net, info = cls.from_pretrained(folder, **asked)
    except Exception as error:  # what a config says may make any layer raise anything
        raise OptionError(f"{option!r} cannot be loaded as safetensors: {folder}: {why(error)}\n  {REMEDY}") from error
    misfits = [
        f"{len(names)} {kind}: {', '.join(names[:_SHOWN])}{', ...' * (len(names) > _SHOWN)}"
        for kind in ("missing", "unexpected")
        if (names := sorted(info[f"{kind}_keys"]))
    ]
    if misfits:
        name = type(net).__name__
        raise OptionError(f"{option!r} does not hold the tensors of {name}: {folder}: {'; '.join(misfits)}\n  {REMEDY}")
    return net.eval().requires_grad_(False)


def _check_files(folder: Path, option: str) -> None:
    """Refuse a folder that has diffusers read something else than tensors in safetensors files beside its config."""
    config = config_of(folder / "config.json", option)
    if config.get("quantization_config"):
        raise OptionError(
            f"{option!r} is quantised, which has diffusers load the library that its quantization_config names: "
            f"{folder / 'config.json'}\n  Take the weights in float32, bfloat16 or float16."
        )
    for path in _weights(folder, option):
        if path.parent != folder or path.suffix != ".safetensors":
            raise OptionError(f"{option!r} must name safetensors files in its folder alone: {folder} names {path}")
        options.existing_file(path, what=option, remedy=REMEDY)


def _weights(folder: Path, option: str) -> Iterator[Path]:
    """The files of weights in a folder, and those that its indices of shards name."""
    yield from sorted(folder.glob("*.safetensors"))
    for index in sorted(folder.glob("*.index*.json")):
        shards = config_of(index, option).get("weight_map")
        if not isinstance(shards, dict):
            raise OptionError(f"{option!r} has an index without a weight_map: {index}\n  {REMEDY}")
        yield from sorted({folder / str(name) for name in shards.values()})


def diffusers_package(who: str) -> Any:
    """diffusers, or an error that says who needs it."""
    try:
        return diffusers()
    except MissingPackageError as error:
        raise OptionError(f'{who} needs diffusers: pip install "kinetic-flow[diffusers]"') from error
