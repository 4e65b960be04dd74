"""The recipes that plugins ship, found where their packages lie. No plugin is imported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import final

import attrs

from kinetic._plugins.distributions import entry_points, folders_of
from kinetic._plugins.loading import glance, owner_of
from kinetic.errors import UnknownNameError


@final
@attrs.frozen(eq=False)
class Recipes(Mapping[str, Path]):
    """`{name: file}`. A name of several plugins is that of kinetic's own, or nobody's; the others are `PLUGIN:NAME`.

    Args:
        files: by the names that they are listed under.
        offers: `{name: {plugin: file}}`, all there are.
    """

    files: Mapping[str, Path]
    offers: Mapping[str, Mapping[str, Path]]

    def __getitem__(self, name: str) -> Path:
        return self.files[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def find(self, name: str) -> Path | None:
        """The file that a name, or a plugin and a name as in `kinetic_mine:study`, stands for; None where none is.

        Raises:
            UnknownNameError: several strangers have it.
        """
        owner, _, own = name.partition(":")
        path = self.files.get(name) or self.offers.get(own, {}).get(owner)
        several = self.offers.get(name, {})
        if path is None and several:
            raise UnknownNameError(
                f"{' and '.join(several)} both ship a recipe named {name!r}: say which, as in "
                f"{next(iter(several))}:{name}"
            )
        return path

    def of(self, plugin: str) -> dict[str, Path]:
        """Those of one plugin, by the names that they are listed under."""
        paths = [owners[plugin] for owners in self.offers.values() if plugin in owners]
        return {name: path for name, path in self.files.items() if path in paths}

    def notes(self, plugin: str) -> Iterator[str]:
        """A note for each recipe of a plugin whose plain name is not its own."""
        for name, owners in self.offers.items():
            if plugin in owners and name not in self.of(plugin):
                others = " and ".join(other for other in owners if other != plugin)
                yield f"{others} ships a recipe named {name!r} too: this one is {plugin}:{name}"


def shipped() -> Recipes:
    """The recipes that the installed plugins ship: every `recipes/*.toml` inside their packages.

    Those of plugins that their metadata show not to be in use are left out.
    """
    offers: dict[str, dict[str, Path]] = {}
    ours = set()
    for name, (point, plugin) in glance(entry_points()).items():
        if plugin.error is None:
            ours |= {name} if plugin.is_ours else set()
            for folder in folders_of(point):
                for path in sorted(folder.glob("recipes/*.toml")):
                    offers.setdefault(path.stem, {}).setdefault(name, path)
    files: dict[str, Path] = {}
    for name, owners in offers.items():
        chosen = owner_of(owners, ours)
        files |= {name if owner == chosen else f"{owner}:{name}": path for owner, path in owners.items()}
    return Recipes(files, offers)
