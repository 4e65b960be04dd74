"""The installed distributions that offer plugins, and how one of them is left out."""

from __future__ import annotations

import importlib.metadata
import os
import re
from collections.abc import Iterable, Mapping
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


def is_disabled(point: EntryPoint) -> bool:
    """Whether `KINETIC_DISABLED_PLUGINS` leaves out the entry point, or the whole distribution it came with."""
    left_out = {name.strip() for name in os.environ.get(DISABLED, "").split(",")} - {""}
    return point.name in left_out or distribution_of(point)[0] in left_out


def way_out(owners: Mapping[str, str]) -> str:
    """How to go on without the plugin that came into the way of another: the one that is not kinetic's own.

    Args:
        owners: `{what KINETIC_DISABLED_PLUGINS leaves out: the distribution it belongs to}`. Where all of them are
            strangers, or none is, any can be left out.
    """
    strangers = [name for name, distribution in owners.items() if canonical(distribution) != OURS]
    return " or ".join(f"{DISABLED}={name}" for name in _unique(strangers or owners))


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _folder(distribution: Distribution) -> tuple[str, str]:
    """Name and version as the metadata's folder has them, which can be read without opening a file."""
    path = Path(str(getattr(distribution, "_path", "")))  # pip asks for it too: nothing public tells the folder
    if path.suffix not in (".dist-info", ".egg-info"):
        return _said(distribution.metadata, "Name"), _said(distribution.metadata, "Version")
    name, _, rest = path.stem.partition("-")
    return name, rest.partition("-")[0]


def _said(metadata: PackageMetadata, key: str) -> str:
    return str(metadata[key] or "") if key in metadata else ""
