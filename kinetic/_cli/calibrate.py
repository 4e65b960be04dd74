"""The command that lays out a grid for the paths of a field."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def calibrate(
    recipe: Annotated[str, typer.Argument(help="A TOML file, or the name of a shipped recipe: whose field is walked.")],
    grid: Annotated[
        str, typer.Option(help="A calibrated grid: sharpness, rotation, energy, entropy, or one of yours.")
    ],
    steps: Annotated[int, typer.Option(help="Steps of the grid that is written.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The .toml file to write.")],
    arm: Annotated[str | None, typer.Option(help="Whose field and schedule. [default: the first arm]")] = None,
    paths: Annotated[int, typer.Option(help="Paths that are walked.")] = 500,
    fine: Annotated[int, typer.Option(help="Short steps of each of them.")] = 200,
    smoothing: Annotated[float, typer.Option(help="Of the density: a standard deviation in time; 0 for none.")] = 0.005,
    seed: Annotated[
        int | None, typer.Option(help="Of the paths' noise. [default: the recipe's and 1,000,000: others than its own]")
    ] = None,
    device: Annotated[str, typer.Option(help="A torch device, or auto.")] = "auto",
    override: Annotated[
        list[str] | None, typer.Option("--set", help="Change the recipe: field.temperature=0.02. Repeatable.")
    ] = None,
    field: Annotated[
        str | None, typer.Option(help="The code of the recipe's field `module`: module:PACKAGE.MODULE:ATTRIBUTE.")
    ] = None,
) -> None:
    """Lay out the steps of a grid by what the paths of a recipe's field do, for the grid `given` to read."""
    from kinetic._experiment.calibrate_command import Walk
    from kinetic._experiment.calibrate_command import calibrate as calibrated
    from kinetic._interrupt import status_of
    from kinetic._terminal import console, say

    walk = Walk(paths=paths, fine=fine, smoothing=smoothing, seed=seed, device=device)
    try:
        times = calibrated(recipe, grid, steps, out, walk, arm, override or (), field)
    except KeyboardInterrupt as stop:
        say(console(stderr=True), "stopped; nothing was written")
        raise typer.Exit(status_of(stop)) from None
    say(console(), "times: ", " ".join(f"{t:.4g}" for t in times), whole=True)
    say(console(), f"grid: {out}", whole=True)
