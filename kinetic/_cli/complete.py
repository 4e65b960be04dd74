"""What a shell may complete. Names are read from where plugins lie: no plugin is imported, and neither is torch."""

from __future__ import annotations

from collections.abc import Iterable

import typer


def recipes(incomplete: str) -> list[str]:
    """Names of shipped recipes."""
    from kinetic._plugins.recipes import shipped

    return _fitting(shipped(), incomplete)


def roles(incomplete: str) -> list[str]:
    """The eight roles."""
    from kinetic._plugins.hooks import ROLES

    return _fitting(ROLES, incomplete)


def plugins(incomplete: str) -> list[str]:
    """Entry points of plugins."""
    from kinetic._plugins.distributions import entry_points
    from kinetic._plugins.loading import glance

    return _fitting(glance(entry_points()), incomplete)


def components(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of components, of the role and the plugin that are said already."""
    from kinetic._plugins.spelled import components as spelled

    return _fitting(spelled(ctx.params.get("role"), ctx.params.get("package")), incomplete)


def _fitting(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))
