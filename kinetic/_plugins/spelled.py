"""The names that the source of a hook spells out: what a shell can complete, and `--help` list, without an import.

    register("leapfrog", Leapfrog)      in a function of the module that the entry point names

A name that is computed is not known here; it works all the same.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.metadata import EntryPoint

from kinetic._plugins.distributions import entry_points, source_of
from kinetic._plugins.hooks import ROLES
from kinetic._plugins.loading import glance


def spelled(point: EntryPoint, hook: str) -> list[str]:
    """The names that a plugin's `hook` registers by a string."""
    return [name for function in _functions(point) if function.name == hook for name in _names(function)]


def implements(point: EntryPoint, hook: str) -> bool:
    """Whether a plugin's source has a function that is called like the hook."""
    return any(function.name == hook for function in _functions(point))


def components(role: str | None = None, plugin: str | None = None) -> list[str]:
    """The spelt names of components, of one role or all, of one plugin (an entry point or a distribution) or all."""
    names: dict[str, None] = {}
    for name, (point, known) in glance(entry_points()).items():
        if known.error is None and plugin in (None, name, known.distribution):
            for hook in [ROLES[role]] if role in ROLES else [] if role else ROLES.values():
                names |= dict.fromkeys(spelled(point, hook))
    return [*names]


def _functions(point: EntryPoint) -> Iterator[ast.FunctionDef]:
    source = source_of(point)
    try:
        tree = ast.parse(source.read_bytes()) if source else ast.Module([], [])
    except (OSError, SyntaxError, ValueError, RecursionError):  # importing it says what is wrong
        return
    yield from (node for node in tree.body if isinstance(node, ast.FunctionDef))


def _names(function: ast.FunctionDef) -> Iterator[str]:
    register = function.args.args[0].arg if function.args.args else ""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == register and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value
