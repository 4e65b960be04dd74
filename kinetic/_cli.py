"""The command line. Torch, rich and the plugins are imported by the commands that need them."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kinetic.errors import KineticError

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    help="Run, weigh, shape and judge flow-matching models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # help in plain text: typer's rich one costs as much again as all the rest of `--help`
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
    recipe: Annotated[str, typer.Argument(help="A TOML file, or the name of a shipped recipe.")],
    out: Annotated[Path | None, typer.Option(help="The run folder. [default: runs/RECIPE]")] = None,
    device: Annotated[str, typer.Option(help="A torch device, or auto.")] = "auto",
    override: Annotated[
        list[str] | None, typer.Option("--set", help="Change the recipe: arms.kts.schedule.alpha=0.02. Repeatable.")
    ] = None,
) -> None:
    """Carry out a recipe: sample, weigh, judge, compare, report. A run that was cut short goes on."""
    from kinetic import load_recipe
    from kinetic._progress import Reporter
    from kinetic._report import print_brief

    try:
        finished = load_recipe(recipe, override or ()).run(out, device, Reporter(_console(stderr=True)))
    except KeyboardInterrupt:  # here, since typer would end with nothing said
        _console(stderr=True).print("stopped; what was finished is kept, and the same command goes on from there")
        raise typer.Exit(130) from None
    print_brief(finished, _console())


@app.command()
def score(
    samples: Annotated[str, typer.Argument(help="A folder of images, or a .npy, .npz or .safetensors file.")],
    metrics: Annotated[str, typer.Option(help="Names, as in frechet,kid, or a TOML file with [metrics.NAME] tables.")],
    reference: Annotated[str | None, typer.Option(help="Data like SAMPLES to hold them against.")] = None,
    features: Annotated[
        str | None, typer.Option(help="The space of metrics that name none: NAME, or module:PACKAGE.MODULE:ATTRIBUTE.")
    ] = None,
    override: Annotated[
        list[str] | None, typer.Option("--set", help="An option: samples.mode=rgb, metrics.kid.subsets=20. Repeatable.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A folder for scores.json, samples.parquet and notes.json.")] = None,
    device: Annotated[str, typer.Option(help="A torch device, or auto.")] = "auto",
    batch: Annotated[int | None, typer.Option(help="Samples at a time.")] = None,
    cache: Annotated[Path | None, typer.Option(help="A folder to keep features in. [default: $KINETIC_CACHE]")] = None,
) -> None:
    """Judge samples that others made by the metrics of a recipe. Nothing is sampled."""
    from kinetic._experiment.score_command import load_score_job
    from kinetic._progress import Reporter
    from kinetic._report import print_scores
    from kinetic._store.feature_cache import cache_folder

    scoring = load_score_job(samples, metrics, reference, features, override or (), cache=cache_folder(cache))
    try:
        scored = scoring.run(out, device, batch, Reporter(_console(stderr=True)))
    except KeyboardInterrupt:
        _console(stderr=True).print("stopped; nothing was written")
        raise typer.Exit(130) from None
    print_scores(scored, samples, _console())
    if out is not None:
        _console().print(f"\nscores: {out}", highlight=False, soft_wrap=True)


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

    reporter, kept = Reporter(_console(stderr=True)), cache_folder(cache)
    write_statistics(reference, features, out, override or (), device, reporter, kept)
    _console().print(f"statistics: {out}", highlight=False, soft_wrap=True)


@app.command()
def recipes(
    name: Annotated[
        str | None, typer.Argument(help="Print this one, to change: kinetic recipes NAME > my.toml.")
    ] = None,
) -> None:
    """List the recipes that the installed plugins ship, or print one."""
    from rich.markup import escape

    from kinetic._experiment.read_recipe import read_recipe, shipped
    from kinetic.errors import unknown

    known, out = shipped(), _console()
    if name is not None:
        if name not in known:
            raise unknown("no recipe is named", name, known)
        typer.echo(known[name].read_text(encoding="utf-8"), nl=False)
        return
    for each, path in known.items():
        try:
            title = escape(str(read_recipe(path).get("title", "")))
        except KineticError as error:  # a stranger's recipe must not hide the others
            title = f"[red]{escape(str(error))}[/red]"
        out.print(f"[bold]{escape(each)}[/bold]  {title}", highlight=False, soft_wrap=True)
        out.print(f"  {path}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def plugins() -> None:
    """List the installed plugins and what each offers. One that does not import is shown with its error."""
    from rich.markup import escape
    from rich.table import Table

    from kinetic import registry

    known = registry()
    table = Table("plugin", "from", "offers", box=None, header_style="bold")
    for plugin in known.plugins:
        offers = [f"{role} {name}" for (role, name), owner in known.origins.items() if owner == plugin.name]
        said = f"[red]not in use: {escape(plugin.error)}[/red]" if plugin.error else escape(", ".join(offers))
        table.add_row(escape(plugin.name), escape(f"{plugin.distribution} {plugin.version}"), said)
    _console().print(table)


@app.command()
def show(
    role: Annotated[str, typer.Argument(help="field, solver, grid, schedule, meter, metric, features or dataset.")],
    name: Annotated[str | None, typer.Argument(help="One of them; all names without it.")] = None,
) -> None:
    """Say what a component is and which options it takes."""
    import attrs
    from rich.markup import escape
    from rich.table import Table

    from kinetic import abstract_class, registry
    from kinetic._plugins.docstring import arguments, prose
    from kinetic._plugins.registry import describe

    abstract_class(role)
    known, out = registry(), _console()
    if name is None:
        for each, cls in known.classes[role].items():
            out.print(f"[bold]{escape(each)}[/bold]  {escape(_first_line(cls))}")
        return
    cls = known.get(role, name)
    out.print(f"[bold]{escape(role)} {escape(name)}[/bold]  {cls.__module__}.{cls.__name__}")
    out.print(escape(prose(cls)), highlight=False)
    said = arguments(cls)
    table = Table("option", "default", "takes", box=None, header_style="bold")
    for field in attrs.fields(cls):
        if field.init:
            default = "required" if field.default is attrs.NOTHING else repr(field.default)
            option = field.alias or field.name
            table.add_row(escape(option), escape(default), escape(describe(field, said.get(option))))
    out.print(table)


@app.command()
def report(folder: Annotated[Path, typer.Argument(help="A finished run folder.")]) -> None:
    """Write the report of a finished run anew, and print all its tables."""
    from kinetic import load_run
    from kinetic._report import print_report, write_report

    finished = load_run(folder)
    write_report(folder)
    print_report(finished, _console())


@cache
def _console(stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr)


def _first_line(cls: type) -> str:
    return (cls.__doc__ or "").strip().partition("\n")[0]


def main() -> None:
    """Run the command line. An error kinetic raises on purpose ends it with status 2 and one message."""
    try:
        app()
    except KineticError as error:
        from rich.markup import escape

        _console(stderr=True).print(f"[bold red]error:[/bold red] {escape(str(error))}", highlight=False)
        sys.exit(2)
