"""Entry points imported one by one: what is wrong with one of them stays with it."""

from __future__ import annotations

import contextlib
import difflib
import importlib.metadata
import io
import time
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from importlib.metadata import EntryPoint

import attrs
import pluggy
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from kinetic._plugins.distributions import DISABLED, OURS, canonical, distribution_of, is_disabled, left_out

REQUIRES = "kinetic_requires"
"""What a plugin's module may say of the versions of kinetic it works with, as in `kinetic_requires = ">=0.2"`."""
_SLOW = 1.0  # seconds of an import that are worth a note: torch is there before
_PRINTED = 60  # characters of what an import printed that a note shows


@attrs.frozen
class Plugin:
    """One entry point and what came of it.

    Args:
        name: of the entry point.
        distribution, version: that it came with.
        error: why it is not in use; None where it is.
        notes: what is wrong with it although it is in use.
        seconds: how long its import took.
    """

    name: str
    distribution: str
    version: str
    error: str | None = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def is_ours(self) -> bool:
        """Whether it came with kinetic itself."""
        return canonical(self.distribution) == OURS


def load(manager: pluggy.PluginManager, points: Sequence[EntryPoint]) -> dict[str, Plugin]:
    """Import and register the plugins, `{name: Plugin}` in order of their names; those of the manager first."""
    plugins = {name: Plugin(name, "unknown", "") for name, _ in manager.list_name_plugin()}
    for name, (point, plugin) in glance(points).items():
        plugins[name] = plugin if plugin.error is not None else _loaded(manager, point, plugin)
    return plugins


def glance(points: Sequence[EntryPoint]) -> dict[str, tuple[EntryPoint, Plugin]]:
    """What metadata alone tell of the plugins, in order of their names. None is imported.

    Of entry points of one name one is in use; the others are named after their distributions, `NAME of DISTRIBUTION`.
    """
    plugins: dict[str, tuple[EntryPoint, Plugin]] = {}
    by_name: dict[str, list[EntryPoint]] = defaultdict(list)
    for point in points:
        by_name[point.name].append(point)
    for name in sorted(by_name):
        first, *others = sorted(by_name[name], key=_precedence)
        plugin = Plugin(name, *distribution_of(first), _disabled(first) or _unmet(first))
        plugins[name] = first, plugin
        for point in others:
            owner, version = distribution_of(point)
            error = _disabled(point) or (
                f"{plugin.distribution} has the entry point {name!r} too\n  Name an entry point after its "
                'package, as in `kinetic_mine = "kinetic_mine"`.'
            )
            if (owner, version) != (plugin.distribution, plugin.version):
                plugins[f"{name} of {owner}"] = point, Plugin(name, owner, version, error)
    return plugins


def owner_of(owners: Iterable[str], ours: Container[str]) -> str | None:
    """Whose a name is that several plugins offer: kinetic's own, or the only one's; nobody's among strangers."""
    owners = list(owners)
    return next((name for name in owners if name in ours), owners[0] if len(owners) == 1 else None)


def unknown_hooks(plugin: object, manager: pluggy.PluginManager) -> Iterator[str]:
    """A note for each hook that a plugin implements and kinetic does not call."""
    known = [name for name in vars(manager.hook) if not name.startswith("_")]
    known = [name for name in known if getattr(manager.hook, name).has_spec()]
    for name in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, name)
        if options is not None and name not in known and not options.get("optionalhook"):
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
            hint = f"; the nearest is {near[0]}" if near else ""
            yield f"its hook {name} is none of this kinetic: misspelt, or of a newer one{hint}"


def misspelt_switches(points: Sequence[EntryPoint]) -> list[str]:
    """A note for each name in `KINETIC_DISABLED_PLUGINS` that is no entry point and no distribution of a plugin."""
    known = {point.name for point in points} | {distribution_of(point)[0] for point in points}
    notes = []
    for name in sorted(left_out() - known):
        near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
        hint = f"; the nearest is {near[0]}" if near else ""
        notes.append(f"{DISABLED} names {name!r}, which is no plugin here{hint}")
    return notes


def _precedence(point: EntryPoint) -> tuple[bool, bool, str]:
    """Of entry points of one name one that is not switched off goes first, then kinetic's own, then by distribution."""
    owner = distribution_of(point)[0]
    return is_disabled(point), canonical(owner) != OURS, owner


def _disabled(point: EntryPoint) -> str | None:
    return f"switched off by {DISABLED}" if is_disabled(point) else None


def _loaded(manager: pluggy.PluginManager, point: EntryPoint, plugin: Plugin) -> Plugin:
    printed, began = io.StringIO(), time.perf_counter()
    try:
        with contextlib.redirect_stdout(printed):
            module = point.load()
            error = _not_for(str(getattr(module, REQUIRES, "")), point.name)
            if error is None:
                manager.register(module, name=point.name)
    except KeyboardInterrupt:
        raise
    except BaseException as problem:  # a stranger's import may raise anything, SystemExit and pytest's Skipped too
        error = f"{type(problem).__name__}: {problem}"
        if manager.has_plugin(point.name):  # pluggy refused one of its hooks after it had taken others
            manager.unregister(name=point.name)
    seconds = time.perf_counter() - began
    return attrs.evolve(plugin, error=error, seconds=seconds, notes=tuple(_manners(printed.getvalue(), seconds)))


def _manners(printed: str, seconds: float) -> Iterator[str]:
    if printed.strip():
        said = " ".join(printed.split())
        yield f"it prints when it is imported: {said if len(said) <= _PRINTED else said[:_PRINTED] + '...'}"
    if seconds > _SLOW:
        yield f"its import takes {seconds:.1f} s: import what is heavy where it is used"


def _unmet(point: EntryPoint) -> str | None:
    """What the metadata of a distribution require of kinetic that this one is not."""
    try:
        required = (point.dist.requires if point.dist else None) or []
    except (OSError, TypeError):  # a folder without METADATA
        return None
    for line in required:
        with contextlib.suppress(InvalidRequirement):
            requirement = Requirement(line)
            if canonical(requirement.name) == OURS and (requirement.marker is None or requirement.marker.evaluate()):
                error = _not_for(str(requirement.specifier), point.name)
                if error is not None:
                    return error
    return None


def _not_for(specifier: str, plugin: str) -> str | None:
    try:
        here = importlib.metadata.version(OURS)
        fits = SpecifierSet(specifier).contains(here, prereleases=True)
    except InvalidSpecifier:
        return f"{REQUIRES} must be a version specifier, as in '>=0.2': {specifier!r}"
    except importlib.metadata.PackageNotFoundError:  # kinetic itself is not installed, only on the path
        return None
    return None if fits else f"{plugin} needs {OURS}{specifier}, this is {here}"
