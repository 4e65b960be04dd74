"""A run folder gone back to: metrics added to samples that are there, and what would be computed again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kinetic._experiment.experiment import Recipe, identity_of, run_experiment
from kinetic._experiment.overrides import overridden, parsed
from kinetic._experiment.ranks import Ranks
from kinetic._experiment.read_recipe import build_recipe, load_recipe
from kinetic._experiment.score_command import metric_tables
from kinetic._plugins.builder import code_of
from kinetic._plugins.registry import Registry, registry
from kinetic._progress import Reporter
from kinetic._sample.draw import find_device
from kinetic._store.files import names_in, read_toml
from kinetic._store.finished_run import FinishedRun
from kinetic._store.layout import RECIPE
from kinetic._store.manifest import Manifest
from kinetic._store.origin import Change
from kinetic._store.planned import recipe_name
from kinetic._store.why import Why, why_again
from kinetic.errors import RecipeError, StoreError, shown


def load_rescoring(
    folder: str | Path,
    metrics: str,
    overrides: Sequence[str] = (),
    known: Registry | None = None,
    field: str | None = None,
) -> Recipe:
    """The recipe of a run folder with more metrics.

    Args:
        folder: of a run whose samples are all there.
        metrics: names with commas between them, or a TOML file with a table `[metrics.NAME]` for each. Of a name that
            the recipe has already, the table of a file takes the place of the old one; a name alone keeps it.
        overrides: options of metrics, such as `metrics.kid.subsets=20`.
        known: the registry to look names up in; the installed plugins by default.
        field: the code of fields of the recipe, as of `load_recipe`.
    Raises:
        StoreError: the folder holds no run, or its recipe is not what was written.
        RecipeError, UnknownNameError, OptionError, MissingFileError: something in it cannot be; the message says what.
    """
    path = _with_recipe(folder) / RECIPE
    for override in overrides:
        if parsed(override)[0][0] != "metrics":
            raise RecipeError(
                f"`kinetic rescore` changes metrics alone, as in --set metrics.kid.subsets=20: {shown(override)}\n  "
                "Whatever else differs is another run: `kinetic run` with another --out."
            )
    content = read_toml(Manifest.read(path.parent).check(RECIPE))
    old = content.get("metrics", {})
    new = {name: table or old.get(name, {}) for name, table in metric_tables(metrics).items()}
    content = overridden({**content, "metrics": {**old, **new}}, overrides)
    code = {} if field is None else {"field": code_of(field)}
    return build_recipe(recipe_name(path), content, known or registry(), code)


def rescore(folder: str | Path, recipe: Recipe, device: str = "auto", reporter: Reporter | None = None) -> FinishedRun:
    """Evaluate the samples of a run by the metrics of a recipe of `load_rescoring`; nothing is sampled.

    Every file but the samples is written again. Energies stay as they are; the field is asked in the dry run, and where
    noise was left, for the control.

    Raises:
        StoreError: samples are missing or damaged, or were made by something else.
    """
    return run_experiment(recipe, Path(folder), device, reporter or Reporter(), Change.METRICS, Ranks())


def why(
    folder: str | Path,
    recipe: str | Path | None = None,
    overrides: Sequence[str] = (),
    known: Registry | None = None,
    field: str | None = None,
    device: str = "auto",
) -> Why:
    """What a run would compute again in a folder, and why; nothing is computed.

    Args:
        folder: of a run.
        recipe: which recipe would be carried out there, as of `load_recipe`; by default the one in the folder.
        overrides, known, field: as of `load_recipe`.
        device: that the run would take.
    """
    path = _with_recipe(folder) if recipe is None else Path(folder)
    loaded = load_recipe(path / RECIPE if recipe is None else recipe, overrides, known, field)
    on = find_device(device, next(iter(loaded.runners.values())).field)
    return why_again(path, loaded.content, identity_of(loaded, on))


def _with_recipe(folder: str | Path) -> Path:
    path = Path(folder)
    if RECIPE not in names_in(path):
        raise StoreError(f"{path} holds no run: there is no {RECIPE} in it")
    return path
