"""A command."""

from typing import Annotated

import typer

import kinetic


def order(
    solver: Annotated[str, typer.Argument(help="A solver with a number of steps.")],
    steps: Annotated[int, typer.Option(min=2, help="Steps of the shorter walk; the longer has twice as many.")] = 40,
) -> None:
    """Measure the order of convergence of a solver, on dx/dt = -x from 1 to 1/e."""
    import math

    import torch

    cls, errors = kinetic.registry().get("solver", solver), []
    for n in (steps, 2 * steps):
        *_, last = cls(steps=n).solve(lambda x, t, rows: -x, torch.ones(1, 1, dtype=torch.float64))
        errors.append(abs(last.x1.item() - math.exp(-1)))
    typer.echo(f"{solver}: order {math.log2(errors[0] / errors[1]):.2f}")
