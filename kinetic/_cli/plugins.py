"""The commands that list plugins and recipes, and those of people who write plugins."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kinetic._cli import complete

if TYPE_CHECKING:
    from kinetic._plugins.loading import Plugin


def recipes(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Print this one, to change: kinetic recipes NAME > my.toml.", autocompletion=complete.recipes
        ),
    ] = None,
) -> None:
    """List the recipes that the installed plugins ship, or print one. No plugin is imported."""
    from kinetic._experiment.recipe_file import read_bytes, read_recipe
    from kinetic._plugins.recipes import shipped
    from kinetic._terminal import console, printable, say, write
    from kinetic.errors import KineticError, unknown

    known, out = shipped(), console()
    if name is not None:
        path = known.find(name)
        if path is None:
            raise unknown("no recipe is named", name, known)
        content = read_bytes(path)
        write(printable(content.decode(errors="replace"), keep="\n").encode() if out.is_terminal else content)
        return
    for each, path in known.items():
        try:
            title = (str(read_recipe(path).get("title", "")), "")
        except KineticError as error:  # a stranger's recipe must not hide the others
            title = (str(error), "red")
        say(out, (each, "bold"), "  ", title, whole=True)
        say(out, f"  {path}", whole=True)


def plugins(
    ctx: typer.Context,
    quick: Annotated[
        bool, typer.Option("--quick", help="By their metadata alone: no plugin is imported, and neither is torch.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="End with status 1 where one is not in use or has a note; build its recipes."),
    ] = False,
) -> None:
    """List the installed plugins: whose they are, what each offers, whether it is in use, and what is wrong with it."""
    from kinetic._plugins.distributions import entry_points
    from kinetic._plugins.loading import misspelt_switches
    from kinetic._terminal import console, say

    taken = set(getattr(ctx.find_root().command, "commands", ()))
    known, offers = _by_metadata(taken) if quick else _imported(taken, check)
    notes = misspelt_switches(entry_points())
    _draw_plugins(known, offers, "not imported" if quick else "in use")
    for note in notes:
        say(console(), (note, "yellow"), keep="\n")
    if check and (notes or any(plugin.error or plugin.notes for plugin in known)):
        raise typer.Exit(1)


_Offers = dict[str, dict[str, list[str]]]


def _by_metadata(taken: set[str]) -> tuple[list[Plugin], _Offers]:
    """The plugins and `{plugin: {what: names}}` of recipes and commands, without an import."""
    import attrs

    from kinetic._plugins.commands import listed
    from kinetic._plugins.distributions import entry_points
    from kinetic._plugins.loading import glance
    from kinetic._plugins.recipes import shipped

    recipes, commands = shipped(), listed(taken)
    offers: _Offers = {}
    known = []
    for name, (_, plugin) in glance(entry_points()).items():
        own = [command for command, owner in commands.items() if owner.name == name]
        offers[name] = {"recipe": [*recipes.of(name)], "command": own}
        known.append(attrs.evolve(plugin, notes=(*plugin.notes, *recipes.notes(name))))
    return known, offers


def _imported(taken: set[str], build: bool) -> tuple[list[Plugin], _Offers]:
    """The plugins and `{plugin: {what: names}}` of all that they offer."""
    import attrs
    import pluggy

    from kinetic import registry
    from kinetic._experiment.check_command import recipe_notes
    from kinetic._plugins.commands import of_plugins
    from kinetic._plugins.distributions import GROUP
    from kinetic._plugins.recipes import shipped

    manager, recipes = pluggy.PluginManager(GROUP), shipped()
    known = registry(manager)
    used = [plugin for plugin in known.plugins if plugin.error is None]
    commands, notes = of_plugins(manager, used, taken)
    offers: _Offers = {plugin.name: {} for plugin in known.plugins}
    for (role, name), owners in known.offers.items():
        for owner in owners:
            offers[owner].setdefault(role, []).append(known.called_by(role, name, owner))
    shown = []
    for plugin in known.plugins:
        own, more = recipes.of(plugin.name), notes.get(plugin.name, [])
        offers[plugin.name]["recipe"] = [*own]
        offers[plugin.name]["command"] = [name for name, owner in commands.items() if owner == plugin.name]
        wrong = recipe_notes(own, known, build and not plugin.is_ours) if plugin.error is None else ()
        shown.append(attrs.evolve(plugin, notes=(*plugin.notes, *more, *recipes.notes(plugin.name), *wrong)))
    return shown, offers


def _draw_plugins(known: list[Plugin], offers: Any, good: str) -> None:
    """A table with a line for each role of each plugin, and below it what is wrong with them."""
    from rich.table import Table

    from kinetic._terminal import add_row, console, draw, say

    out = console()
    table = Table(box=None, header_style="bold")
    for column in ("plugin", "package", "version", "status", "role", "names"):
        table.add_column(column, overflow="fold")
    for plugin in known:
        status = "off" if plugin.error else f"{good}, see below" if plugin.notes else good
        head = (plugin.name, plugin.distribution, plugin.version, status)
        rows = [(role, ", ".join(names)) for role, names in offers[plugin.name].items() if names] or [("", "")]
        for i, row in enumerate(rows):
            style = "red" if plugin.error else "yellow" if plugin.notes and not i else ""
            add_row(table, *(head if not i else ("",) * len(head)), *row, style=style)
    draw(out, table)
    for plugin in known:
        if plugin.error:
            say(out, (f"{plugin.name} is off: {plugin.error}", "red"), keep="\n")
        for note in plugin.notes:
            say(out, (f"{plugin.name}: {note}", "yellow"), keep="\n")


def check(
    package: Annotated[
        str,
        typer.Argument(
            help="An installed plugin: its entry point or its distribution.", autocompletion=complete.plugins
        ),
    ],
    name: Annotated[
        str | None,
        typer.Argument(help="One component of it; all without it.", autocompletion=complete.components),
    ] = None,
    role: Annotated[
        str | None, typer.Option(help="Components of this role only.", autocompletion=complete.roles)
    ] = None,
) -> None:
    """Hold what a plugin offers to the promises of its roles. Ends with status 1 where one is broken."""
    from kinetic._experiment.check_command import check_plugin
    from kinetic._report.checks import print_checked
    from kinetic._terminal import console, say

    out, every = console(), []
    for checked in check_plugin(package, name, role):
        every.append(checked)
        print_checked(f"{checked.role} {checked.name}", checked.results, checked.unmade, out)
    held = sum(len(each.results) - len(each.failures) for each in every)
    unmade = sum(bool(each.unmade) for each in every)
    say(out, f"{held} of {sum(len(each.results) for each in every)} checks hold; {unmade} component(s) not checked")
    if not held or any(each.failures for each in every):
        raise typer.Exit(1)


def new(
    name: Annotated[
        str, typer.Argument(help="What the plugin is called: lower case with hyphens, as in smooth-start.")
    ],
    role: Annotated[
        str,
        typer.Option(
            help="field, solver, grid, schedule, meter, metric, features or dataset: what it adds.",
            autocompletion=complete.roles,
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="The folder to make. [default: kinetic-NAME]")] = None,
) -> None:
    """Write a plugin of your own, complete: a component, a recipe, tests. Nothing is overwritten."""
    from kinetic._scaffold import scaffold
    from kinetic._terminal import console, say

    folder = scaffold(name, role, out)
    say(console(), f"plugin: {folder}", whole=True)
    say(console(), f"next: cd {folder} && pip install --no-deps -e . && pytest && kinetic run {name}", whole=True)
