"""The command that searches over options of arms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def tune(
    recipe: Annotated[str, typer.Argument(help="A TOML file, or the name of a shipped recipe.")],
    out: Annotated[Path | None, typer.Option(help="The folder of both runs. [default: runs/RECIPE-tuned]")] = None,
    device: Annotated[str, typer.Option(help="A torch device, or auto.")] = "auto",
    search: Annotated[
        list[str] | None,
        typer.Option(help="Values of an option, arms.kts.schedule.beta=0.01,0.02, for [tune.search]. Repeatable."),
    ] = None,
    override: Annotated[
        list[str] | None, typer.Option("--set", help="Change the recipe: run.samples=500. Repeatable.")
    ] = None,
    field: Annotated[
        str | None, typer.Option(help="The code of the recipe's field `module`, as given to `run`.")
    ] = None,
) -> None:
    """Search over options of a recipe's arms: choose on one seed what copies least at no loss, judge it on another."""
    from kinetic._experiment.tune_command import CHOSEN, TUNED, tune_recipe
    from kinetic._interrupt import status_of
    from kinetic._report import print_tuned
    from kinetic._terminal import console, say

    try:
        held = tune_recipe(recipe, out, device, override or (), search or (), field)
    except KeyboardInterrupt as stop:
        say(console(stderr=True), "stopped; what was finished is kept, and the same command goes on from there")
        raise typer.Exit(status_of(stop)) from None
    print_tuned(held, console())
    folder = Path(held["folder"])
    say(console(), "")
    say(console(), f"recipe: {folder / CHOSEN}", whole=True)
    say(console(), f"numbers: {folder / TUNED}", whole=True)
