"""The command line. Torch, rich and the plugins are imported by the commands that need them."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from kinetic._cli import calibrate, complete, folders, plugins, tune
from kinetic._cli.group import PLAIN, PluginGroup
from kinetic._interrupt import drop_output, status_of, stoppable
from kinetic.errors import KineticError, OutputClosedError

_CLOSED = 141  # the exit status that shells know for a closed pipe: 128 and the number of SIGPIPE

app = typer.Typer(
    help="Run, weigh, shape and judge flow-matching models.",
    no_args_is_help=True,
    cls=PluginGroup,
    **(PLAIN | {"add_completion": True}),
)


def _say_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"kinetic {version('kinetic-flow')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version and exit.")
    ] = False,
) -> None: ...


@app.command()
def run(
    recipe: Annotated[
        str,
        typer.Argument(help="A TOML file, or the name of a shipped recipe.", autocompletion=complete.recipes),
    ],
    out: Annotated[Path | None, typer.Option(help="The run folder. [default: runs/RECIPE]")] = None,
    device: Annotated[str, typer.Option(help="A torch device, or auto.")] = "auto",
    override: Annotated[
        list[str] | None, typer.Option("--set", help="Change the recipe: arms.kts.schedule.alpha=0.02. Repeatable.")
    ] = None,
    field: Annotated[
        str | None, typer.Option(help="The code of the recipe's field `module`: module:PACKAGE.MODULE:ATTRIBUTE.")
    ] = None,
    extend: Annotated[
        int | None, typer.Option(help="Samples of each arm, in place of the recipe's; finished ones are kept.")
    ] = None,
    part: Annotated[
        str | None, typer.Option(help="I/N: draw the I-th of N parts of the samples, and no more; see `gather`.")
    ] = None,
) -> None:
    """Carry out a recipe: sample, weigh, judge, compare, report. A run that was cut short goes on.

    Under torchrun all ranks share it. Ends with status 1 where samples were left out, since their velocity was not
    finite.
    """
    from kinetic._experiment.run_command import run_part, run_ranks

    if part is None:
        run_ranks(recipe, out, device, override or (), field, extend)
    else:
        run_part(recipe, out, device, override or (), field, extend, part)


@app.command()
def gather(
    folder: Annotated[Path, typer.Argument(help="A run folder of which all parts are drawn.")],
    device: Annotated[str, typer.Option(help="A torch device, or auto.")] = "auto",
    field: Annotated[
        str | None, typer.Option(help="The code of the recipe's field `module`, as given to `run`.")
    ] = None,
) -> None:
    """Judge, compare and report a run that was drawn by `run --part`. Nothing is sampled."""
    from kinetic._experiment.run_command import run_gather

    run_gather(folder, device, field)


@app.command()
def score(
    samples: Annotated[str, typer.Argument(help="A folder of images, or a .npy, .npz or .safetensors file.")],
    metrics: Annotated[str, typer.Option(help="Names, as in frechet,kid, or a TOML file with [metrics.NAME] tables.")],
    reference: Annotated[str | None, typer.Option(help="Data like SAMPLES to compare them with.")] = None,
    features: Annotated[
        str | None, typer.Option(help="The space of metrics that name none: NAME, or module:PACKAGE.MODULE:ATTRIBUTE.")
    ] = None,
    override: Annotated[
        list[str] | None, typer.Option("--set", help="An option: samples.mode=rgb, metrics.kid.subsets=20. Repeatable.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="A folder for scores.json, samples.parquet, notes.json and protocols.json.")
    ] = None,
    device: Annotated[str, typer.Option(help="A torch device, or auto.")] = "auto",
    batch: Annotated[int | None, typer.Option(help="Samples at a time.")] = None,
    cache: Annotated[Path | None, typer.Option(help="A folder to keep features in. [default: $KINETIC_CACHE]")] = None,
) -> None:
    """Judge samples that others made by the metrics of a recipe. Nothing is sampled."""
    from kinetic._experiment.score_command import load_score_job
    from kinetic._progress import Reporter
    from kinetic._report import print_scores
    from kinetic._store.feature_cache import cache_folder
    from kinetic._terminal import console, say

    scoring = load_score_job(samples, metrics, reference, features, override or (), cache=cache_folder(cache))
    try:
        scoring.run(out, device, batch, Reporter(), lambda scored: print_scores(scored, samples, console()))
    except KeyboardInterrupt as stop:
        say(console(stderr=True), "stopped; nothing was written")
        raise typer.Exit(status_of(stop)) from None
    if out is not None:
        say(console(), "")
        say(console(), f"scores: {out}", whole=True)


@app.command()
def statistics(
    reference: Annotated[str, typer.Argument(help="A folder of images, or a .npy, .npz or .safetensors file.")],
    out: Annotated[Path, typer.Option(help="The .npz file to write.")],
    features: Annotated[str, typer.Option(help="The space: NAME, or module:PACKAGE.MODULE:ATTRIBUTE.")],
    override: Annotated[
        list[str] | None, typer.Option("--set", help="An option: reference.mode=rgb, features.dims=64. Repeatable.")
    ] = None,
    device: Annotated[str, typer.Option(help="A torch device, or auto.")] = "auto",
    cache: Annotated[Path | None, typer.Option(help="A folder to keep features in. [default: $KINETIC_CACHE]")] = None,
) -> None:
    """Write mean and covariance of data in a feature space, as pytorch-fid does, for the option `statistics`."""
    from kinetic._experiment.score_command import write_statistics
    from kinetic._progress import Reporter
    from kinetic._store.feature_cache import cache_folder
    from kinetic._terminal import console, say

    write_statistics(reference, features, out, override or (), device, Reporter(), cache_folder(cache))
    say(console(), f"statistics: {out}", whole=True)


@app.command()
def show(
    role: Annotated[
        str,
        typer.Argument(
            help="field, solver, grid, schedule, meter, metric, features or dataset.",
            autocompletion=complete.roles,
        ),
    ],
    name: Annotated[
        str | None,
        typer.Argument(help="One of them; all names without it.", autocompletion=complete.components),
    ] = None,
) -> None:
    """Say what a component is and which options it takes. The plugins are imported for it, and torch with them."""
    import attrs
    from rich.table import Table

    from kinetic import abstract_class, registry
    from kinetic._plugins.docstring import arguments, prose
    from kinetic._plugins.registry import describe
    from kinetic._terminal import add_row, console, draw, say

    abstract_class(role)
    known, out = registry(), console()
    if name is None:
        for each, cls in known.classes[role].items():
            say(out, (each, "bold"), f"  {_first_line(cls)}")
        return
    cls = known.get(role, name)
    say(out, (f"{role} {name}", "bold"), f"  {cls.__module__}.{cls.__name__}")
    say(out, prose(cls), keep="\n")
    words = arguments(cls)
    table = Table("option", "default", "takes", box=None, header_style="bold")
    for field in attrs.fields(cls):
        if field.init:
            default = "required" if field.default is attrs.NOTHING else repr(field.default)
            option = field.alias or field.name
            add_row(table, option, default, describe(field, words.get(option)))
    draw(out, table)


for _command in (
    folders.verify,
    folders.why,
    folders.status,
    folders.rescore,
    calibrate.calibrate,
    plugins.check,
    plugins.new,
    plugins.plugins,
    plugins.recipes,
    tune.tune,
):
    app.command()(_command)


@app.command()
def report(folder: Annotated[Path, typer.Argument(help="A finished run folder.")]) -> None:
    """Write the report of a finished run anew, and print all its tables. One that may only be read is printed."""
    from kinetic import load_run
    from kinetic._report import print_report, write_report
    from kinetic._terminal import console, say
    from kinetic.errors import StoreError

    finished, kept = load_run(folder), None
    try:
        write_report(folder)
    except StoreError as error:
        kept = error
    print_report(finished, console())
    if kept is not None:
        say(console(stderr=True), (f"the report was not written: {kept}", "yellow"), keep="\n")


def _first_line(cls: type) -> str:
    return (cls.__doc__ or "").strip().partition("\n")[0]


def main() -> None:
    """Run the command line. An error kinetic raises on purpose ends it with status 2 and one message."""
    try:
        with stoppable():
            app()
    except KineticError as error:
        from kinetic._terminal import console, say

        with contextlib.suppress(OutputClosedError):
            say(console(stderr=True), ("error:", "bold red"), f" {error}", keep="\n")
        drop_output()
        sys.exit(_CLOSED if isinstance(error, OutputClosedError) else 2)
