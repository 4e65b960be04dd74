"""Folders that `save_pretrained` of diffusers wrote."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from types import ModuleType
from typing import Any

from kinetic import options
from kinetic.errors import OptionError

REMEDY = "Give a local folder that `save_pretrained` of diffusers wrote, of a pipeline or of the part itself."


def folder_of(location: str, option: str, part: str, allowed: Collection[str]) -> Path:
    """The folder of a part of a pipeline, itself or below the pipeline's, that holds one of the allowed classes.

    Raises:
        MissingFileError, OptionError: it holds none; the message says what it holds.
    """
    folder = options.existing_path(location, what=option, remedy=REMEDY)
    folder = folder / part if (folder / part).is_dir() else folder
    name = class_of(folder, option)
    if name not in allowed:
        raise OptionError(f"{option!r} is a {name!r}; known are {', '.join(allowed)}: {folder}")
    return folder


def class_of(folder: Path, option: str) -> str:
    """The class that a folder says it holds."""
    return str(config_of(folder / "config.json", option).get("_class_name"))


def config_of(path: Path, option: str) -> dict[str, Any]:
    """What a config says."""
    path = options.existing_path(path, what=option, remedy=REMEDY)
    try:
        config = json.loads(path.read_bytes())
        return {**config}
    except (OSError, ValueError, TypeError) as error:
        raise OptionError(f"{option!r} has no readable config: {path}: {error}\n  {REMEDY}") from error


def diffusers_package(who: str) -> ModuleType:
    """diffusers, or an error that says how it is installed."""
    try:
        import diffusers
    except ImportError as error:
        raise OptionError(f'{who} needs diffusers: pip install "kinetic-flow[diffusers]"') from error
    package: ModuleType = diffusers
    return package
