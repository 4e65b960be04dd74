"""Names to classes: what the installed plugins offer."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint
from typing import Any

import attrs
import pluggy

from kinetic import options
from kinetic._plugins import hooks
from kinetic._plugins.distributions import DISABLED, GROUP, distribution_of, entry_points, is_disabled, way_out
from kinetic._roles.component import Component
from kinetic._roles.dataset import Dataset
from kinetic._roles.features import FeatureSpace
from kinetic._roles.field import VelocityField
from kinetic._roles.grid import TimeGrid
from kinetic._roles.meter import EnergyMeter
from kinetic._roles.metric import Metric
from kinetic._roles.schedule import Schedule
from kinetic._roles.solver import Solver
from kinetic.errors import KineticError, PluginError, unknown

_ROLES: Mapping[str, tuple[type[Component], str]] = {
    "field": (VelocityField, "register_fields"),
    "solver": (Solver, "register_solvers"),
    "grid": (TimeGrid, "register_grids"),
    "schedule": (Schedule, "register_schedules"),
    "meter": (EnergyMeter, "register_meters"),
    "metric": (Metric, "register_metrics"),
    "features": (FeatureSpace, "register_features"),
    "dataset": (Dataset, "register_datasets"),
}

_CALLED = {"features": "feature space"}  # where it is not the role's own name


def abstract_class(role: str) -> type[Component]:
    """The abstract class of a role: `field`, `solver`, `grid`, `schedule`, `meter`, `metric`, `features`, `dataset`."""
    if role not in _ROLES:
        raise unknown("there is no role", role, _ROLES)
    return _ROLES[role][0]


def role_of(cls: type) -> str:
    """The role whose abstract class `cls` is, or is derived from.

    Raises:
        PluginError: it is of none.
    """
    for role, (abstract, _) in _ROLES.items():
        if issubclass(cls, abstract):
            return role
    raise PluginError(
        f"{cls.__name__} is of no role: {', '.join(abstract.__name__ for abstract, _ in _ROLES.values())}"
    )


@attrs.frozen
class Plugin:
    """One entry point: its name, the distribution it came with, and why it is not in use, if it is not."""

    name: str
    distribution: str
    version: str
    error: str | None = None


@attrs.frozen(eq=False)
class Registry:
    """What recipes can name.

    Args:
        classes: `{role: {name: class}}`.
        origins: `{(role, name): plugin name}`.
        plugins: all entry points there are, broken and disabled ones too.
    """

    classes: Mapping[str, Mapping[str, type[Component]]]
    origins: Mapping[tuple[str, str], str]
    plugins: Sequence[Plugin] = ()

    def get(self, role: str, name: str) -> type[Component]:
        """The class a name stands for.

        Raises:
            UnknownNameError: nobody offers it; the message has the nearest known name and all of them.
        """
        abstract_class(role)
        known = self.classes.get(role, {})
        if name not in known:
            broken = [plugin.name for plugin in self.plugins if plugin.error]
            hint = "`kinetic plugins` shows which installed package offers each."
            if broken:
                hint += f"\n  Not in use: {', '.join(broken)}."
            raise unknown(f"no {self.called(role)} is named", name, known, hint)
        return known[name]

    def name_of(self, component: Component) -> str:
        """The registered name of a component's class, or the class's own name."""
        for names in self.classes.values():
            for name, cls in names.items():
                if cls is type(component):
                    return name
        return type(component).__name__

    def called(self, role: str) -> str:
        """What one component of a role is called."""
        return _CALLED.get(role, role)


def describe(field: attrs.Attribute[Any], words: str | None = None) -> str:
    """What an option takes and means, in `words` or else in those of its declaration."""
    bound, doc = field.metadata.get(options.BOUND, ""), words or field.metadata.get(options.DOC, "")
    return "; ".join(part for part in (bound, doc) if part) or "see its documentation"


def registry(
    manager: pluggy.PluginManager | None = None, points: Iterable[EntryPoint] | None = None, check: bool = True
) -> Registry:
    """Load the installed plugins and collect what they offer.

    A plugin that does not import, or whose hooks fail, is noted in `Registry.plugins` and left out whole; everything
    else works.
    `KINETIC_DISABLED_PLUGINS=name,name` leaves plugins out on purpose, by their entry points or distributions.

    Args:
        manager: a manager with plugins of your own already registered; a fresh one otherwise.
        points: the entry points to load instead of the installed ones.
        check: refuse hook implementations that no hook is named like.
    Raises:
        PluginError: two distributions share an entry-point name, or two plugins share a component name.
    """
    if manager is None:
        manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hooks)
    plugins = _load(manager, entry_points() if points is None else list(points))
    if check:
        _check_hook_names(manager)
    classes: dict[str, dict[str, type[Component]]] = {role: {} for role in _ROLES}
    origins: dict[tuple[str, str], str] = {}
    failed: dict[str, str] = {}
    offers = {plugin.name: plugin.distribution for plugin in plugins}
    for role, (abstract, hook) in _ROLES.items():
        for implementation in getattr(manager.hook, hook).get_hookimpls():
            owner = implementation.plugin_name
            try:
                implementation.function(_register(role, abstract, owner, classes[role], origins, offers))
            except KineticError:
                raise
            except (Exception, SystemExit) as problem:  # as in _load
                failed[owner] = f"{hook}: {type(problem).__name__}: {problem}"
    for role, name in [key for key, owner in origins.items() if owner in failed]:
        del classes[role][name], origins[role, name]
    plugins = [attrs.evolve(plugin, error=failed.get(plugin.name, plugin.error)) for plugin in plugins]
    return Registry(classes, origins, plugins)


def _load(manager: pluggy.PluginManager, points: Sequence[EntryPoint]) -> list[Plugin]:
    by_name: dict[str, list[EntryPoint]] = defaultdict(list)
    for point in points:
        by_name[point.name].append(point)
    for name, same in by_name.items():
        owners = sorted({distribution_of(point)[0] for point in same if not is_disabled(point)})
        if len(owners) > 1:
            raise PluginError(
                f"{' and '.join(owners)} both offer the entry point {name!r}\n"
                f'  Name an entry point after its package, as in `kinetic_mine = "kinetic_mine"`.\n'
                f"  To go on without it: {way_out({owner: owner for owner in owners})}"
            )
    plugins = []
    for name in sorted(by_name):
        point = min(by_name[name], key=is_disabled)
        error = f"switched off by {DISABLED}" if is_disabled(point) else None
        if error is None:
            try:
                manager.register(point.load(), name=name)
            except (Exception, SystemExit) as problem:  # a stranger's import may raise anything
                error = f"{type(problem).__name__}: {problem}"
                if manager.has_plugin(name):  # pluggy refused one of its hooks after it had taken others
                    manager.unregister(name=name)
        plugins.append(Plugin(name, *distribution_of(point), error))
    return plugins


def _register(
    role: str,
    abstract: type[Component],
    plugin: str,
    known: dict[str, Any],
    origins: dict[tuple[str, str], str],
    offers: Mapping[str, str],
) -> Callable[[str, type[Component]], None]:
    def register(name: str, cls: type[Component]) -> None:
        if not (inspect.isclass(cls) and issubclass(cls, abstract)) or inspect.isabstract(cls):
            missing = ", ".join(sorted(getattr(cls, "__abstractmethods__", ())))
            why = f"it leaves {missing} abstract" if missing else f"it is no {abstract.__name__}"
            raise PluginError(f"{plugin}: {cls!r} cannot be registered as {role} {name!r}: {why}")
        if name in known:
            first = origins[role, name]
            owners = {each: offers.get(each, "unknown") for each in (first, plugin)}
            raise PluginError(
                f"{first} and {plugin} both offer a {role} named {name!r}: "
                f"{known[name].__module__}.{known[name].__name__} and {cls.__module__}.{cls.__name__}\n"
                f"  Rename one, or leave one out: {way_out(owners)}"
            )
        known[name], origins[role, name] = cls, plugin

    return register


def _check_hook_names(manager: pluggy.PluginManager) -> None:
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(
            f"{error}\n  The hooks are: {', '.join(hook for _, hook in _ROLES.values())}\n"
            f"  To go on without that plugin: {DISABLED}={manager.get_name(error.plugin)}"
        ) from error
