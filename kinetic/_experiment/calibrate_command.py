"""`kinetic calibrate`: a grid laid out for the paths of a recipe's field, in a file that says where it comes from."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

import attrs
import tomli_w

from kinetic import options
from kinetic._experiment.experiment import Recipe, arms_of
from kinetic._experiment.read_recipe import load_recipe
from kinetic._plugins.registry import Registry
from kinetic._progress import Reporter
from kinetic._roles.calibrated import CalibratedGrid, named, spread
from kinetic._roles.tree import hash_of
from kinetic._sample.calibrate import measured
from kinetic._sample.draw import find_device
from kinetic._store.files import check_writable, write_text
from kinetic._store.provenance import environment, now, options_of
from kinetic.errors import OptionError, unknown, within

APART = 1_000_000
"""How far the seed of the paths is from the recipe's, where none is given: a run is not judged on them."""

_HEAD = "# Times from noise (0) to data (1), for grid `given`; [calibration] is for the grid it names, at any steps.\n"


@final
@attrs.frozen(kw_only=True)
class Walk:
    """How the paths of a calibration are walked.

    Args:
        paths: how many.
        fine: short steps of each.
        smoothing: of the density, a standard deviation in units of time.
        seed: of their noise; by default `APART` from that of the recipe's run.
        device: a torch device, or "auto".
    """

    paths: int = options.integer(500, at_least=2)
    fine: int = options.integer(200, at_least=3, at_most=10**5)
    smoothing: float = options.number(0.005, at_least=0, below=0.5)
    seed: int | None = options.integer(None, at_least=0)
    device: str = "auto"


def calibrate(
    recipe: str,
    grid: str,
    steps: int,
    out: Path,
    walk: Walk,
    arm: str | None = None,
    overrides: Sequence[str] = (),
    field: str | None = None,
    reporter: Reporter | None = None,
) -> list[float]:
    """Measure the density of a calibrated grid on paths of a recipe's field, and write it with the times of one grid.

    Args:
        recipe, overrides, field: as of `load_recipe`.
        grid: the name of a calibrated grid.
        steps: of the times that are written.
        out: the file, `.toml`; one that is there is replaced.
        walk: how the paths are walked.
        arm: whose field and schedule; the first of the recipe by default.
        reporter: shows how far it is.
    Returns:
        The times.
    Raises:
        OptionError, UnknownNameError: something is out of range or not known, before any path is walked.
    """
    options.check_integer("'steps'", steps, at_least=1, at_most=walk.fine)
    _check_file(out)
    loaded = load_recipe(recipe, overrides, field=field)
    cls, run = _grid(loaded.registry, grid), _run_of(loaded, arm)
    device = find_device(walk.device, loaded.runners[run].field)
    arms = arms_of(loaded, device)
    seed = loaded.seeds[run] + APART if walk.seed is None else walk.seed
    with (reporter or Reporter()).running() as bars, within(f"arm {run!r}"):
        asked = {**arms.asked, "seed": seed, "progress": bars.arm(f"{run}, {walk.fine} steps", walk.paths, "paths")}
        density = measured(arms.runners[run], cls, walk.paths, walk.fine, walk.smoothing, bars.say, **asked)
    times = spread(density, steps)
    origin = _origin(loaded, run, grid, cls, attrs.evolve(walk, seed=seed)) | environment(device)
    whole = {"times": times, "calibration": origin | {"density": density.tolist()}}
    write_text(out, _HEAD + tomli_w.dumps(whole))
    return times


def _check_file(out: Path) -> None:
    if options.suffix(out) != ".toml" or not os.path.isdir(out.parent) or os.path.isdir(out):
        raise OptionError(f"'out' must be a .toml file in a folder that is there: {str(out)!r}")
    check_writable(out.parent, "Choose another file with --out.")


def _grid(known: Registry, name: str) -> type[CalibratedGrid]:
    """The class of a calibrated grid."""
    grids = {each: cls for each, cls in known.classes["grid"].items() if issubclass(cls, CalibratedGrid)}
    if name in known.classes["grid"] and name not in grids:
        raise OptionError(
            f"grid {name!r} is the same for every field: there is nothing to calibrate\n  "
            f"Calibrated are: {', '.join(sorted(grids))}"
        )
    if name not in grids:
        raise unknown("no calibrated grid is named", name, grids)
    return grids[name]


def _run_of(recipe: Recipe, arm: str | None) -> str:
    """The run of an arm: its first, where it has several."""
    runs = {each: next(iter(recipe.levels.runs(each))) for each in recipe.arms} | {run: run for run in recipe.runners}
    if arm is not None and arm not in runs:
        raise unknown("there is no arm", arm, runs)
    return runs[recipe.arms[0] if arm is None else arm]


def _origin(recipe: Recipe, run: str, grid: str, cls: type[CalibratedGrid], walk: Walk) -> dict[str, Any]:
    """Where a calibration comes from, as a table of TOML."""
    runner = recipe.runners[run]
    parts = {"field": runner.field} | ({"schedule": runner.schedule} if runner.schedule else {})
    return {
        "grid": grid,
        "class": named(cls),
        "formula": cls.formula,
        "command": shlex.join(sys.argv),
        "recipe": recipe.name,
        "arm": run,
        "paths": walk.paths,
        "fine": walk.fine,
        "smoothing": walk.smoothing,
        "seed": walk.seed,
        "parts": {name: _without_none(options_of(part, recipe.registry)) for name, part in parts.items()},
        "weights": {name: digest for name, part in parts.items() if (digest := hash_of(part)) is not None},
        "written": now(),
    }


def _without_none(value: Any) -> Any:
    """TOML knows no None."""
    if isinstance(value, Mapping):
        return {key: _without_none(each) for key, each in value.items() if each is not None}
    return [_without_none(each) for each in value if each is not None] if isinstance(value, list) else value
