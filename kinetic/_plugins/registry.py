"""Names to classes: what the installed plugins offer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint
from typing import Any

import attrs
import pluggy

from kinetic import options
from kinetic._display import Card, Displayed, several
from kinetic._plugins import hooks
from kinetic._plugins.distributions import GROUP, entry_points
from kinetic._plugins.loading import Plugin, load, owner_of, unknown_hooks
from kinetic._roles.component import Component
from kinetic._roles.dataset import Dataset
from kinetic._roles.features import FeatureSpace
from kinetic._roles.field import VelocityField
from kinetic._roles.grid import TimeGrid
from kinetic._roles.meter import EnergyMeter
from kinetic._roles.metric import Metric
from kinetic._roles.schedule import Schedule
from kinetic._roles.solver import Solver
from kinetic.errors import PluginError, UnknownNameError, unknown

_ROLES: Mapping[str, type[Component]] = {
    "field": VelocityField,
    "solver": Solver,
    "grid": TimeGrid,
    "schedule": Schedule,
    "meter": EnergyMeter,
    "metric": Metric,
    "features": FeatureSpace,
    "dataset": Dataset,
}

_CALLED = {"features": "feature space"}  # where it is not the role's own name


def abstract_class(role: str) -> type[Component]:
    """The abstract class of a role: `field`, `solver`, `grid`, `schedule`, `meter`, `metric`, `features`, `dataset`."""
    if role not in _ROLES:
        raise unknown("there is no role", role, _ROLES)
    return _ROLES[role]


def role_of(cls: type) -> str:
    """The role whose abstract class `cls` is, or is derived from.

    Raises:
        PluginError: it is of none.
    """
    for role, abstract in _ROLES.items():
        if issubclass(cls, abstract):
            return role
    raise PluginError(f"{cls.__name__} is of no role: {', '.join(abstract.__name__ for abstract in _ROLES.values())}")


@attrs.frozen(eq=False, repr=False)
class Registry(Displayed):
    """What recipes can name.

    Args:
        classes: `{role: {name: class}}`.
        origins: `{(role, name): plugin name}`.
        plugins: all entry points there are, broken and disabled ones too.
        offers: `{(role, name): {plugin name: class}}` of all plugins in use. A name that several of them offer is that
            of kinetic's own plugin, or of none; `PLUGIN:NAME` is always that of the plugin.
    """

    classes: Mapping[str, Mapping[str, type[Component]]]
    origins: Mapping[tuple[str, str], str]
    plugins: Sequence[Plugin] = ()
    offers: Mapping[tuple[str, str], Mapping[str, type[Component]]] = attrs.field(factory=dict)

    def _card(self) -> Card:
        facts = tuple((role, several(classes, 8)) for role, classes in self.classes.items())
        return Card(f"Registry of {len(self.plugins)} plugins", facts)

    def get(self, role: str, name: str) -> type[Component]:
        """The class that a name, or a plugin and a name as in `kinetic_mine:leapfrog`, stands for.

        Raises:
            UnknownNameError: nobody offers it, or several do; the message has the nearest known name and all of them.
        """
        abstract_class(role)
        known = self.classes.get(role, {})
        if name in known:
            return known[name]
        owner, _, own = name.partition(":")
        of_owner = self.offers.get((role, own), {})
        if owner in of_owner:
            return of_owner[owner]
        several = self.offers.get((role, name), {})
        if several:
            raise UnknownNameError(
                f"{' and '.join(several)} both offer a {self.called(role)} named {name!r}: say which, as in "
                f"{next(iter(several))}:{name}"
            )
        broken = [plugin.name for plugin in self.plugins if plugin.error]
        hint = "`kinetic plugins` shows which installed package offers each."
        if broken:
            hint += f"\n  Not in use: {', '.join(broken)}."
        raise unknown(f"no {self.called(role)} is named", name, known, hint)

    def name_of(self, component: Component) -> str:
        """The name that recipes have for a component's class, or the class's own name."""
        for names in self.classes.values():
            for name, cls in names.items():
                if cls is type(component):
                    return name
        for (_, name), owners in self.offers.items():
            for owner, cls in owners.items():
                if cls is type(component):
                    return f"{owner}:{name}"
        return type(component).__name__

    def called_by(self, role: str, name: str, plugin: str) -> str:
        """What recipes call a component that a plugin offers under a name: the name, or `PLUGIN:NAME`."""
        return name if self.origins.get((role, name)) == plugin else f"{plugin}:{name}"

    def called(self, role: str) -> str:
        """What one component of a role is called."""
        return _CALLED.get(role, role)


def describe(field: attrs.Attribute[Any], words: str | None = None) -> str:
    """What an option takes and means, in `words` or else in those of its declaration."""
    bound, doc = field.metadata.get(options.BOUND, ""), words or field.metadata.get(options.DOC, "")
    return "; ".join(part for part in (bound, doc) if part) or "see its documentation"


def registry(manager: pluggy.PluginManager | None = None, points: Iterable[EntryPoint] | None = None) -> Registry:
    """Load the installed plugins and collect what they offer.

    Nothing that is wrong with one plugin stops another. One that does not import, whose hooks fail, or that needs
    another kinetic is left out whole, and `Plugin.error` says why; what else is wrong stands in `Plugin.notes`.
    `KINETIC_DISABLED_PLUGINS=name,name` leaves plugins out on purpose, by their entry points or distributions.

    Args:
        manager: a manager with plugins of your own already registered; a fresh one otherwise.
        points: the entry points to load instead of the installed ones.
    """
    if manager is None:
        manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hooks)
    plugins = load(manager, entry_points() if points is None else list(points))
    offers: dict[tuple[str, str], dict[str, type[Component]]] = {}
    for name, plugin in plugins.items():
        if plugin.error is None:
            own, error = _offers(manager, name)
            plugins[name] = attrs.evolve(
                plugin, error=error, notes=(*plugin.notes, *unknown_hooks(manager.get_plugin(name), manager))
            )
            for key, cls in own.items():
                offers.setdefault(key, {})[name] = cls
    return _resolved(plugins, offers)


def _offers(manager: pluggy.PluginManager, plugin: str) -> tuple[dict[tuple[str, str], type[Component]], str | None]:
    """What a plugin offers, `{(role, name): class}`; nothing and the reason where one of its hooks fails."""
    own: dict[tuple[str, str], type[Component]] = {}
    for role, abstract in _ROLES.items():
        hook = hooks.ROLES[role]
        for implementation in getattr(manager.hook, hook).get_hookimpls():
            if implementation.plugin_name == plugin:
                try:
                    implementation.function(_register(role, abstract, own))
                except KeyboardInterrupt:
                    raise
                except BaseException as problem:  # a stranger's hook may raise anything, pytest's Skipped too
                    return {}, f"{hook}: {type(problem).__name__}: {problem}"
    return own, None


def _register(
    role: str, abstract: type[Component], own: dict[tuple[str, str], type[Component]]
) -> Callable[[str, type[Component]], None]:
    def register(name: str, cls: type[Component]) -> None:
        if not isinstance(name, str) or not name or ":" in name:
            raise PluginError(f"a {role} must be named by a string without ':': {name!r}")
        if not (inspect.isclass(cls) and issubclass(cls, abstract)) or inspect.isabstract(cls):
            missing = ", ".join(sorted(getattr(cls, "__abstractmethods__", ())))
            why = f"it leaves {missing} abstract" if missing else f"it is no {abstract.__name__}"
            raise PluginError(f"{cls!r} cannot be registered as {role} {name!r}: {why}")
        if own.get((role, name), cls) is not cls:
            raise PluginError(f"two classes are registered as {role} {name!r}: {own[role, name]!r} and {cls!r}")
        own[role, name] = cls

    return register


def _resolved(plugins: dict[str, Plugin], offers: dict[tuple[str, str], dict[str, type[Component]]]) -> Registry:
    """Whose each name is: that of the one plugin that offers it, or of kinetic's own among several."""
    classes: dict[str, dict[str, type[Component]]] = {role: {} for role in _ROLES}
    origins: dict[tuple[str, str], str] = {}
    ours = {name for name, plugin in plugins.items() if plugin.is_ours}
    for (role, name), owners in offers.items():
        chosen = owner_of(owners, ours)
        if chosen is not None:
            classes[role][name], origins[role, name] = owners[chosen], chosen
        for owner in owners.keys() - {chosen}:
            others = " and ".join(other for other in owners if other != owner)
            note = f"{others} offers a {role} named {name!r} too: this one is {owner}:{name}"
            plugins[owner] = attrs.evolve(plugins[owner], notes=(*plugins[owner].notes, note))
    return Registry(classes, origins, [*plugins.values()], offers)
