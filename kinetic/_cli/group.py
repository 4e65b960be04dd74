"""The commands of plugins beside kinetic's own: listed by their names, imported when they are called."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

PLAIN: dict[str, Any] = {"add_completion": False, "pretty_exceptions_enable": False, "rich_markup_mode": None}
"""How kinetic makes applications of typer: help in plain text, as its rich one costs as much again as all the rest."""


class PluginGroup(TyperGroup):
    """kinetic's own commands, and then those of plugins."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All names, kinetic's own first; no plugin is imported."""
        from kinetic._plugins.commands import listed

        return [*super().list_commands(ctx), *listed(self.commands)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name; that of a plugin is one in name only until it is called."""
        from kinetic._plugins.commands import command, listed

        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        plugin = listed(self.commands).get(cmd_name)
        if plugin is not None:
            words = f"Of {plugin.distribution} {plugin.version}."
            return _Later(cmd_name, callback=lambda: None, help=words, commands=self.commands)
        given = command(cmd_name, self.commands)
        return None if given is None else _command(cmd_name, given)


class _Later(TyperCommand):
    """A command of a plugin that is not imported yet."""

    def __init__(self, name: str, commands: Any, **options: Any) -> None:
        super().__init__(name, **options)
        self._taken = commands

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """The context of the real command."""
        from kinetic._plugins.commands import command

        real = _command(str(self.name), command(str(self.name), self._taken))
        return real.make_context(info_name, args, parent=parent, **extra)


def _command(name: str, given: Any) -> Any:
    """A command of typer from what a plugin registered."""
    if not isinstance(given, typer.Typer):
        app = typer.Typer(**PLAIN)
        app.command(name)(given)
        given = app
    return typer.main.get_command(given)
