"""The installed distributions that offer plugins, and how one of them is left out."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
from collections.abc import Sequence
from importlib.metadata import Distribution, EntryPoint, PackageMetadata
from pathlib import Path

GROUP = "kinetic"
DISABLED = "KINETIC_DISABLED_PLUGINS"
OURS = "kinetic-flow"

_NAME = re.compile(r"[A-Z0-9]([A-Z0-9._-]*[A-Z0-9])?", re.IGNORECASE)


def entry_points() -> list[EntryPoint]:
    """The installed entry points of the group `kinetic`.

    What pip ignores is ignored: folders such as `~inetic_mine-0.1.0.dist-info`, left by an install that was cut short.
    Of a distribution that lies on the path twice, as a wheel does beside an editable install, the first counts.
    """
    first: dict[str, Distribution] = {}
    for distribution in importlib.metadata.distributions():
        name = _folder(distribution)[0]
        if _NAME.fullmatch(name):
            first.setdefault(canonical(name), distribution)
    return [point for each in first.values() for point in each.entry_points if point.group == GROUP]


def canonical(name: str) -> str:
    """A distribution's name as indexes compare it: `Kinetic_Mine` is `kinetic-mine`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def distribution_of(point: EntryPoint) -> tuple[str, str]:
    """Name and version of the distribution that an entry point came with; `("unknown", "")` where there is none."""
    if point.dist is None:
        return "unknown", ""
    name, version = _folder(point.dist)
    try:
        said = point.dist.metadata
        return _said(said, "Name") or name, _said(said, "Version") or version
    except (OSError, TypeError):  # a folder without METADATA
        return name, version


def folders_of(point: EntryPoint) -> list[Path]:
    """Where the package of an entry point lies; none for a module, or where none is. Nothing is imported."""
    module = point.value.partition(":")[0].strip()
    return [Path(folder, *module.split(".")[1:]) for folder in _located(module)[1]]


def source_of(point: EntryPoint) -> Path | None:
    """The file of the module that an entry point names, or None where there is none in Python."""
    module = point.value.partition(":")[0].strip()
    origin, folders = _located(module)
    if "." not in module:
        return Path(origin) if origin and origin.endswith(".py") else None
    for folder in (Path(each, *module.split(".")[1:]) for each in folders):
        for path in (folder / "__init__.py", folder.with_suffix(".py")):
            if path.is_file():
                return path
    return None


def _located(module: str) -> tuple[str | None, Sequence[str]]:
    """The file of a module's top package, and the folders that it lies in."""
    try:
        spec = importlib.util.find_spec(module.partition(".")[0])
    except (ImportError, ValueError):  # a module that somebody made by hand has no spec
        return None, ()
    return (spec.origin, [*(spec.submodule_search_locations or ())]) if spec else (None, ())


def is_disabled(point: EntryPoint) -> bool:
    """Whether `KINETIC_DISABLED_PLUGINS` leaves out the entry point, or the whole distribution it came with."""
    return not left_out().isdisjoint({point.name, distribution_of(point)[0]})


def left_out() -> set[str]:
    """The names in `KINETIC_DISABLED_PLUGINS`."""
    return {name.strip() for name in os.environ.get(DISABLED, "").split(",")} - {""}


def _folder(distribution: Distribution) -> tuple[str, str]:
    """Name and version as the metadata's folder has them, which can be read without opening a file."""
    path = Path(str(getattr(distribution, "_path", "")))  # pip asks for it too: nothing public tells the folder
    if path.suffix not in (".dist-info", ".egg-info"):
        return _said(distribution.metadata, "Name"), _said(distribution.metadata, "Version")
    name, _, rest = path.stem.partition("-")
    return name, rest.partition("-")[0]


def _said(metadata: PackageMetadata, key: str) -> str:
    return str(metadata[key] or "") if key in metadata else ""
