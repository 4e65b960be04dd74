"""The commands of those who write plugins."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def check(
    package: Annotated[str, typer.Argument(help="An installed plugin: its entry point or its distribution.")],
    name: Annotated[str | None, typer.Argument(help="One component of it; all without it.")] = None,
    role: Annotated[str | None, typer.Option(help="Components of this role only.")] = None,
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
        str, typer.Option(help="field, solver, grid, schedule, meter, metric, features or dataset: what it adds.")
    ],
    out: Annotated[Path | None, typer.Option(help="The folder to make. [default: kinetic-NAME]")] = None,
) -> None:
    """Write a plugin of your own, complete: a component, a recipe, tests. Nothing is overwritten."""
    from kinetic._scaffold import scaffold
    from kinetic._terminal import console, say

    folder = scaffold(name, role, out)
    say(console(), f"plugin: {folder}", whole=True)
    say(console(), f"next: cd {folder} && pip install --no-deps -e . && pytest && kinetic run {name}", whole=True)
