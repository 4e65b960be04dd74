"""The commands that go back to a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_CODE = typer.Option(help="The code of the recipe's field `module`: module:PACKAGE.MODULE:ATTRIBUTE.")
_DEVICE = typer.Option(help="A torch device, or auto.")


def verify(folder: Annotated[Path, typer.Argument(help="A run folder, finished or not.")]) -> None:
    """Hold every file of a run to its SHA-256; status 1 where one is damaged or missing."""
    from kinetic._progress import Reporter
    from kinetic._report import print_verified
    from kinetic._store.verify import verify as verified
    from kinetic._terminal import console

    with Reporter().running() as bars:
        whole = verified(folder, lambda files: bars.arm("verifying", files, "files"))
    print_verified(whole, console())
    raise typer.Exit(0 if whole.is_whole else 1)


def why(
    folder: Annotated[Path, typer.Argument(help="A run folder.")],
    recipe: Annotated[
        str | None, typer.Argument(help="The recipe to carry out there. [default: the one in FOLDER]")
    ] = None,
    override: Annotated[
        list[str] | None, typer.Option("--set", help="Change the recipe: arms.kts.schedule.alpha=0.02. Repeatable.")
    ] = None,
    field: Annotated[str | None, _CODE] = None,
    device: Annotated[str, _DEVICE] = "auto",
) -> None:
    """Say what a run would compute again in a folder, and why. Nothing is computed."""
    from kinetic._experiment.rescore import why as reasons
    from kinetic._report import print_why
    from kinetic._terminal import console

    print_why(reasons(folder, recipe, override or (), field=field, device=device), console())


def status(
    folder: Annotated[Path, typer.Argument(help="A run folder.")],
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say how far a run is: one under way, dead or finished."""
    from kinetic._report import print_status
    from kinetic._store import status as progress
    from kinetic._terminal import console

    state = progress.status_of(folder)
    if json:
        import json as strict

        typer.echo(strict.dumps(state.to_json(), indent=1, allow_nan=False))
    else:
        print_status(state, console())


def rescore(
    folder: Annotated[Path, typer.Argument(help="A run folder that holds all its samples.")],
    metrics: Annotated[str, typer.Option(help="Names, as in frechet,kid, or a TOML file with [metrics.NAME] tables.")],
    override: Annotated[
        list[str] | None, typer.Option("--set", help="An option: metrics.kid.subsets=20. Repeatable.")
    ] = None,
    field: Annotated[str | None, _CODE] = None,
    device: Annotated[str, _DEVICE] = "auto",
) -> None:
    """Add metrics to a run, or change their options. Nothing is sampled."""
    from kinetic._experiment.run_command import run_rescore

    run_rescore(folder, metrics, override or (), device, field)
