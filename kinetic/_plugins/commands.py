"""Commands that plugins add by the hook `register_commands`. A plugin is imported when its command is called."""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from importlib.metadata import EntryPoint
from typing import Any

import pluggy

from kinetic._plugins import hooks
from kinetic._plugins.distributions import GROUP, entry_points
from kinetic._plugins.loading import Plugin, glance, load, owner_of
from kinetic._plugins.spelled import implements, spelled
from kinetic.errors import PluginError, UnknownNameError, shown

HOOK = "register_commands"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


def listed(taken: Container[str]) -> dict[str, Plugin]:
    """The commands that the sources of plugins spell out, `{NAME or PLUGIN:NAME: plugin}`. Nothing is imported.

    Args:
        taken: kinetic's own commands. One of a plugin that is called so is `PLUGIN:NAME`; so is each of two strangers'.
    """
    every = _implementing()
    return {name: every[plugin][1] for name, (plugin, _) in sorted(_spelled(every, taken).items())}


def command(name: str, taken: Container[str]) -> Any:
    """What a name or `PLUGIN:NAME` stands for, as it was registered; None where nobody offers it.

    The plugin that spells the name out is imported and no other; where none does, all that have the hook.

    Raises:
        UnknownNameError: several strangers offer it.
        PluginError: the plugin does not import, its hook fails, or does not offer the command after all.
    """
    every = _implementing()
    owner, _, own = name.rpartition(":")
    names = _spelled(every, taken)
    several = [called for called, (_, plain) in names.items() if called != plain == name]
    if several:
        raise UnknownNameError(f"{' and '.join(several)} have one name: say which, as in `kinetic {several[0]}`")
    plugin, own = names.get(name, (owner, own))
    if plugin in every:
        offered, error = _imported(every[plugin][0])
        if not error and own not in offered:
            error = f"the plugin offers {', '.join(offered) or 'none'}"
        if error:
            raise PluginError(f"command {own!r} of {plugin} cannot be called: {error}")
        return offered[own]
    offers = {each: _imported(point)[0] for each, (point, _) in every.items()} if not owner else {}
    plugin, own = _named(offers, _ours(every), taken).get(name, ("", name))
    return offers[plugin][own] if plugin else None


def of_plugins(
    manager: pluggy.PluginManager, plugins: Iterable[Plugin], taken: Container[str]
) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The commands of plugins that are imported, `{NAME or PLUGIN:NAME: plugin}`, and notes on them, `{plugin: notes}`.

    Args:
        manager: where they are registered.
        plugins: those in use.
        taken: kinetic's own commands.
    """
    notes: dict[str, list[str]] = defaultdict(list)
    offers = {}
    for plugin in plugins:
        offers[plugin.name], error = _offered(manager, plugin.name)
        if error:
            notes[plugin.name].append(f"its commands are off: {error}")
    called = _named(offers, {plugin.name for plugin in plugins if plugin.is_ours}, taken)
    for name, (owner, own) in called.items():
        if name != own:
            others = [each for each, names in offers.items() if own in names and each != owner]
            who = "kinetic" if own in taken else " and ".join(others)
            notes[owner].append(f"{who} has a command named {own!r} too: this one is {name}")
    return {name: owner for name, (owner, _) in called.items()}, notes


def _implementing() -> dict[str, tuple[EntryPoint, Plugin]]:
    """The plugins whose source has the hook, as far as their metadata show them in use."""
    every = glance(entry_points())
    return {name: each for name, each in every.items() if each[1].error is None and implements(each[0], HOOK)}


def _spelled(every: Mapping[str, tuple[EntryPoint, Plugin]], taken: Container[str]) -> dict[str, tuple[str, str]]:
    offers = {name: filter(_NAME.fullmatch, spelled(point, HOOK)) for name, (point, _) in every.items()}
    return _named(offers, _ours(every), taken)


def _ours(every: Mapping[str, tuple[EntryPoint, Plugin]]) -> set[str]:
    return {name for name, (_, plugin) in every.items() if plugin.is_ours}


def _named(
    offers: Mapping[str, Iterable[str]], ours: Container[str], taken: Container[str]
) -> dict[str, tuple[str, str]]:
    """What each command of `{plugin: names}` is called: `{NAME or PLUGIN:NAME: (plugin, name)}`."""
    owners: dict[str, dict[str, None]] = defaultdict(dict)
    for plugin, names in offers.items():
        for name in names:
            owners[name][plugin] = None
    called = {}
    for name, plugins in owners.items():
        chosen = None if name in taken else owner_of(plugins, ours)
        for plugin in plugins:
            called[name if plugin == chosen else f"{plugin}:{name}"] = plugin, name
    return called


def _imported(point: EntryPoint) -> tuple[dict[str, Any], str | None]:
    """The commands of one plugin, which is imported for them, or why it has none."""
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hooks)
    (plugin,) = load(manager, [point]).values()
    return ({}, plugin.error) if plugin.error else _offered(manager, plugin.name)


def _offered(manager: pluggy.PluginManager, plugin: str) -> tuple[dict[str, Any], str | None]:
    """What a registered plugin's hook offers, `{name: command}`; nothing and the reason where it fails."""
    own: dict[str, Any] = {}
    for implementation in getattr(manager.hook, HOOK).get_hookimpls():
        if implementation.plugin_name == plugin:
            try:
                implementation.function(lambda name, given: _register(name, given, own))
            except KeyboardInterrupt:
                raise
            except BaseException as problem:  # a stranger's hook may raise anything
                return {}, f"{HOOK}: {type(problem).__name__}: {problem}"
    return own, None


def _register(name: str, given: Any, own: dict[str, Any]) -> None:
    import typer

    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise PluginError(f"a command is named in letters, digits, '-', '_', '+' and '.': {shown(name)}")
    if not (inspect.isfunction(given) or isinstance(given, typer.Typer)):
        raise PluginError(f"command {name!r} must be a function or a typer.Typer: {shown(given)}")
    own[name] = given
