"""`kinetic check`: everything that an installed plugin offers, made and held to its promises."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import torch

from kinetic._experiment.read_recipe import load_recipe
from kinetic._experiment.recipe_file import read_recipe
from kinetic._plugins.builder import ComponentBuilder, Defaults, NeedsCodeError
from kinetic._plugins.distributions import canonical
from kinetic._plugins.loading import Plugin
from kinetic._plugins.recipes import shipped
from kinetic._plugins.registry import Registry, abstract_class, registry
from kinetic._roles.component import Component
from kinetic._roles.dataset import TensorData
from kinetic._roles.features import FeatureSpace
from kinetic._roles.raised import first_line
from kinetic._roles.tree import inside
from kinetic._sample.runner import Runner
from kinetic.errors import CheckError, KineticError, MissingFileError, MissingPackageError, PluginError, unknown
from kinetic.testing import Check, checks
from kinetic.testing.probe import normal

_POINTS = (48, 1, 8, 8)  # of the data set that stands in for one that a component needs


@attrs.frozen(eq=False)
class Checked:
    """One component and what its checks said.

    Args:
        role, name: of the component.
        results: each check, with its failure or None; in order.
        unmade: why it could not be made, and how it is checked from Python; empty where it was.
    """

    role: str
    name: str
    results: Sequence[tuple[Check, CheckError | None]] = ()
    unmade: str = ""

    @property
    def failures(self) -> list[CheckError]:
        """The checks that it fails."""
        return [error for _, error in self.results if error is not None]


def check_plugin(
    which: str, name: str | None = None, role: str | None = None, known: Registry | None = None
) -> Iterator[Checked]:
    """Make and check the components of a plugin, one after the other.

    A component is made from its defaults, with 48 images of 1 x 8 x 8 where it needs a data set, or else as a recipe of
    the plugin has it. A feature space is given samples of the shape of the plugin's own data or field.

    Args:
        which: an entry point, or the distribution it came with.
        name, role: of the only component to check; all without them.
        known: the registry; the installed plugins by default.
    Raises:
        UnknownNameError: there is no such plugin, or it offers no such component.
        PluginError: it is not in use; the message says why.
    """
    known = known or registry()
    plugins = _plugins(which, known)
    offered = _offered([plugin.name for plugin in plugins], known, name, role)
    recipes = _Recipes(known)
    return (_checked(owner, each, cls, known, recipes) for owner, each, cls in offered)


def _plugins(which: str, known: Registry) -> list[Plugin]:
    """The plugins of that name, or of the distribution of that name."""
    chosen = [p for p in known.plugins if p.name == which or canonical(p.distribution) == canonical(which)]
    if not chosen:
        raise unknown(
            "no installed plugin or distribution is named",
            which,
            {*(p.name for p in known.plugins), *(p.distribution for p in known.plugins)},
            "Install it first: pip install -e .",
        )
    for plugin in chosen:
        if plugin.error:
            raise PluginError(f"plugin {plugin.name!r} is not in use: {plugin.error}\n  Mend this first.")
    return chosen


def _offered(
    plugins: list[str], known: Registry, name: str | None, role: str | None
) -> list[tuple[str, tuple[str, str], type[Component]]]:
    """What the plugins offer: plugin, (role, name), class."""
    if role is not None:
        abstract_class(role)
    every = [
        (owner, key, cls) for key, owners in known.offers.items() for owner, cls in owners.items() if owner in plugins
    ]
    chosen = [each for each in every if name in (None, each[1][1]) and role in (None, each[1][0])]
    if name is not None and not chosen:
        what = "component" if role is None else known.called(role)
        raise unknown(f"{', '.join(plugins)} offers no {what} named", name, {key[1] for _, key, _ in every})
    return chosen


def _checked(owner: str, key: tuple[str, str], cls: type[Component], known: Registry, recipes: _Recipes) -> Checked:
    role, name = key
    component, why = _made(owner, key, cls, known)
    component = component or recipes.component(cls)
    if component is None:
        how = f"for check in kinetic.testing.checks({cls.__name__}(...)): check()"
        return Checked(role, name, unmade=f"{why}\n  In Python, with options that it can have: {how}")
    allow: dict[str, Any] = (
        {"event_shape": _shape(component, owner, known)} if isinstance(component, FeatureSpace) else {}
    )
    return Checked(role, name, [(check, _failure(check)) for check in checks(component, **allow)])


def _shape(space: FeatureSpace, owner: str, known: Registry) -> torch.Size | None:
    """The first event shape of a data set or field of its own plugin that a space takes, or None."""
    offered = [
        (key, owners[owner])
        for key, owners in known.offers.items()
        if key[0] in ("dataset", "field") and owner in owners
    ]
    for key, cls in offered:
        part, _ = _made(owner, key, cls, known)
        with contextlib.suppress(Exception):  # a stranger's may raise anything: then it takes no such sample
            shape = torch.Size(part.event_shape)  # type: ignore[union-attr]
            space.features(torch.zeros(1, *shape))
            return shape
    return None


def _failure(check: Check) -> CheckError | None:
    try:
        check.run()
    except CheckError as error:
        return error
    return None


def _made(owner: str, key: tuple[str, str], cls: type[Component], known: Registry) -> tuple[Component | None, str]:
    """The component with its defaults, or why it cannot be made with them."""
    if cls.imports_code:
        return None, "it imports code that its options name"
    data = TensorData(normal(*_POINTS).mul(0.4).clamp(-1, 1).float())
    try:
        return ComponentBuilder(known).build(key[0], {"name": f"{owner}:{key[1]}"}, Defaults(data=data)), ""
    except Exception as error:  # a stranger's class may raise anything when it is made
        return None, first_line(error) if isinstance(error, KineticError) else f"{type(error).__name__}: {error}"


def recipe_notes(recipes: Mapping[str, Path], known: Registry, build: bool) -> Iterator[str]:
    """A note for each recipe of a plugin that cannot be.

    Args:
        recipes: by the names that they are listed under.
        known: the registry.
        build: whether they are built too, which may read weights. Files and packages that are not here are no fault.
    """
    for name, path in recipes.items():
        try:
            if build:
                load_recipe(path, known=known)
            else:
                read_recipe(path)
        except (MissingFileError, MissingPackageError, NeedsCodeError):
            continue
        except Exception as error:  # a stranger's class may raise anything when it is made
            words = first_line(error) if isinstance(error, KineticError) else f"{type(error).__name__}: {error}"
            yield f"its recipe {name!r} cannot be built: {words}"


class _Recipes:
    """The components in the recipes of a package, built when the first of them is asked for."""

    def __init__(self, known: Registry) -> None:
        self._known = known
        self._parts: dict[str, list[Component]] = {}

    def component(self, cls: type[Component]) -> Component | None:
        """The first of a class in the recipes that its own package ships."""
        package = cls.__module__.partition(".")[0]
        if package not in self._parts:
            paths = [path for path in shipped().values() if package in path.parts]
            self._parts[package] = [part for path in paths for part in self._built(path)]
        return next((part for part in self._parts[package] if type(part) is cls), None)

    def _built(self, path: Path) -> list[Component]:
        try:
            recipe = load_recipe(path, known=self._known)
        except Exception:  # `kinetic plugins --check` says what is wrong with it
            return []
        values: list[Any] = []
        for runner in recipe.runners.values():
            values += [_plain(getattr(runner, field.name)) for field in attrs.fields(Runner)]
        return inside(values, Component)


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value
