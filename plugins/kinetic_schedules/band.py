"""`python -m kinetic_schedules.band RUN ARM -o band.toml`: the band of powers that the samples of a run keep to."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import tomli_w
import typer
from numpy.typing import NDArray

from kinetic import load_run
from kinetic.errors import KineticError, OptionError, unknown


def band(power: NDArray[np.float64], share: float) -> dict[str, list[float]]:
    """`{low, high}`: the quantiles that hold the middle `share` of the samples, interval by interval of time.

    Args:
        power: `(n, k)`, as the meter `power` gives it.
        share: in (0, 1].
    """
    if not 0 < share <= 1:
        raise OptionError(f"'share' must be a number > 0 and <= 1: {share}")
    low, high = np.quantile(power, [(1 - share) / 2, (1 + share) / 2], axis=0)
    return {"low": low.tolist(), "high": high.tolist()}


def write(
    run: Annotated[Path, typer.Argument(help="A finished run folder.")],
    arm: Annotated[str, typer.Argument(help="The arm whose samples are the calibration paths.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The TOML file to write.")],
    share: Annotated[float, typer.Option(help="Which share of the samples the band holds at each time.")] = 0.9,
    column: Annotated[str, typer.Option(help="The curve of powers.")] = "power",
) -> None:
    """Write the band of powers of an arm, for the option `path` of the schedule `energy-clamp`."""
    table = load_run(run).rows(arm)
    if column not in table.column_names:
        raise unknown("the run has no column", column, table.column_names, "Run it with the meter `power`.")
    curves = np.array(table[column].to_pylist(), dtype=np.float64)
    if curves.ndim != 2:
        raise OptionError(f"the column {column!r} is no curve: the meter `power` gives one")
    held = {"from": str(run), "arm": arm, "samples": len(curves), "share": share, **band(curves, share)}
    out.write_text(tomli_w.dumps(held), encoding="utf-8")
    typer.echo(f"band: {out}, of {len(curves)} samples")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(write)
    try:
        app(arguments)
    except KineticError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
