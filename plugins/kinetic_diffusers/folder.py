"""Models of diffusers, read from a local folder: tensors alone, nothing fetched, no code run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn

from kinetic import options
from kinetic.errors import OptionError


def class_of(folder: Path, option: str, remedy: str) -> str:
    """The class that a folder's config names.

    Raises:
        MissingFileError, OptionError: there is no config, or none that can be read.
    """
    path = options.existing_path(folder / "config.json", what=option, remedy=remedy)
    try:
        return str(json.loads(path.read_bytes()).get("_class_name"))
    except (ValueError, AttributeError) as error:
        raise OptionError(f"{option!r} has no readable config: {path}: {error}\n  {remedy}") from error


def loaded(name: str, folder: Path, option: str, remedy: str, dtype: torch.dtype) -> nn.Module:
    """The model of diffusers' class `name` in a folder, in evaluation.

    Raises:
        OptionError: diffusers is not installed, or the weights are no safetensors that fit.
    """
    try:
        import diffusers
    except ImportError as error:
        raise OptionError("field 'diffusers' needs diffusers: pip install \"kinetic-flow[diffusers]\"") from error
    cls: Any = getattr(diffusers, name)
    try:
        net: nn.Module = cls.from_pretrained(folder, local_files_only=True, use_safetensors=True, torch_dtype=dtype)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        line = " ".join(str(error).split())[:300]
        raise OptionError(f"{option!r} cannot be loaded as safetensors: {folder}: {line}\n  {remedy}") from error
    return net.eval().requires_grad_(False)
