"""Recipes: TOML in, a run folder out."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from kinetic._experiment.claims.known import Known
from kinetic._experiment.claims.read_claims import read_claims
from kinetic._experiment.experiment import Recipe
from kinetic._experiment.levels import Levels
from kinetic._experiment.names import check_apart, check_name
from kinetic._experiment.overrides import NAMED, check_values, merged, overridden
from kinetic._experiment.prompts import read_prompts
from kinetic._experiment.recipe_file import read_recipe
from kinetic._plugins.builder import ComponentBuilder, Defaults, code_of, named
from kinetic._plugins.recipes import shipped
from kinetic._plugins.registry import Registry, registry
from kinetic._sample.runner import Runner
from kinetic._store.layout import RECIPE
from kinetic._store.planned import recipe_name
from kinetic.errors import RecipeError, shown, unknown, within
from kinetic.options import check_integer, suffix

_SHARED = ("data", "reference", "features", "field", "solver", "schedule", "energy", "metrics")
_TOP = ("title", "about", "run", "evidence", "claims", "arms", "trainings", "tune", *_SHARED)
_RUN = {"samples": 1, "seed": 0, "seeds": 1, "batch": 1, "classes": 1}  # key: smallest value
_DTYPES = ("float64", "float32", "bfloat16", "float16")
_BASELINE = ("baseline", "against")  # the second is what older recipes call it


def load_recipe(
    source: str | Path,
    overrides: Sequence[str] = (),
    known: Registry | None = None,
    field: str | None = None,
) -> Recipe:
    """Read and check a recipe.

    Args:
        source: a TOML file, or the name of a recipe that a plugin ships (`kinetic recipes` lists them).
        overrides: changes such as `arms.kts.schedule.alpha=0.02`; the value is TOML, or else a string. As in an arm, a
            changed `name` starts afresh.
        known: the registry to look names up in; the installed plugins by default.
        field: `module:PACKAGE.MODULE:ATTRIBUTE`, the code of fields of that name (`module`), and nothing else of them:
            the recipe holds their other options. It is imported, also from the folder kinetic was started in.
    Raises:
        RecipeError, UnknownNameError, OptionError, MissingFileError: something in it cannot be; the message says what.
    """
    path = _find(source)
    code = {} if field is None else {"field": code_of(field)}
    return build_recipe(recipe_name(path), overridden(read_recipe(path), overrides), known or registry(), code)


def build_recipe(
    name: str, content: Mapping[str, Any], known: Registry, code: Mapping[str, tuple[str, str]] | None = None
) -> Recipe:
    """Check a recipe that is already a mapping; `code` as of `ComponentBuilder`."""
    check_content(content)
    check_keys("the recipe", content, _TOP)
    _check_tables(content, name)
    _check_run(content.get("run", {}))
    _check_evidence(content.get("evidence", {}))
    arms = content.get("arms") or {"base": {}}
    check_apart(arms)
    for arm, table in arms.items():
        check_name(arm)
        check_keys(f"arm {arm!r}", table, (*_SHARED, *_BASELINE))
    _check_trainings(content.get("trainings", {}))
    levels = Levels(content.get("trainings", {}), content["run"].get("seeds", 1), content["run"].get("seed", 0))
    prompts = read_prompts(content["run"]["prompts"]) if "prompts" in content["run"] else ()
    runners, builder = {}, ComponentBuilder(known, code=code or {})
    for arm, table in arms.items():
        tables = {key: merged(named(content.get(key, {})), named(table.get(key, {})), key) for key in _SHARED}
        for run, (training, _) in levels.runs(arm).items():
            with within(f"arm {run!r}"):
                own = {key: levels.laid_over(key, table, training) for key, table in tables.items()}
                runners[run] = build_runner(builder, own, prompts)
    with within("[run] 'start'"):
        start = builder.build("dataset", content["run"]["start"]) if "start" in content["run"] else None
    baselines = _baselines(arms)
    first = Known({arm: runners[next(iter(levels.runs(arm)))] for arm in arms}, baselines)
    claims = read_claims(content.get("claims", {}), first)
    return Recipe(name, content, runners, baselines, levels, known, start, prompts, claims)


def build_runner(builder: ComponentBuilder, tables: Mapping[str, Any], prompts: tuple[str, ...] = ()) -> Runner:
    """The runner of an arm, from tables with the keys of a recipe; `[data]`, `[reference]`, `[features]` fill in.

    So do the prompts of the run, where a metric needs some.
    """
    for role in ("field", "solver"):
        if not tables[role]:
            raise RecipeError(f"there is no [{role}]: name one, as in `[{role}]` and `name = ...`")
    defaults = Defaults(prompts=prompts or None)
    for key, role in (("data", "dataset"), ("reference", "dataset"), ("features", "features")):
        if tables[key]:
            defaults = attrs.evolve(defaults, **{key: builder.build(role, tables[key], defaults)})

    def part(key: str) -> Any:
        return builder.build(key, tables[key], defaults) if tables[key] else None

    def parts(key: str, role: str) -> dict[str, Any]:
        return {name: builder.build(role, table, defaults) for name, table in component_tables(key, tables[key])}

    return Runner(part("field"), part("solver"), part("schedule"), parts("energy", "meter"), parts("metrics", "metric"))


def component_tables(key: str, tables: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The tables below `[energy]` or `[metrics]`, each with its `name`: the table's key where it says none."""
    if not isinstance(tables, Mapping):
        raise RecipeError(f"[{key}] must be a table: {shown(tables)}")
    for name, given in tables.items():
        table = named(given)
        if not isinstance(table, Mapping):
            raise RecipeError(f"[{key}] holds tables, as in `[{key}.{name}]`: {name} = {shown(table)}")
        yield name, {"name": name, **table}


def check_content(content: Mapping[str, Any]) -> None:
    """Refuse what no component could use and no file of a run could hold, named by its key.

    Raises:
        RecipeError: a number that is not finite or beyond 64 bits, tables within tables without end, or a `title` or
            an `about` that is no string.
    """
    for key in ("title", "about"):
        if not isinstance(content.get(key, ""), str):
            raise RecipeError(f"{key!r} must be a string: {shown(content[key])}")
    check_values(content, "")


def check_keys(what: str, table: Any, known: Sequence[str]) -> None:
    """Refuse what is no table, or has a key that is not known."""
    if not isinstance(table, Mapping):
        raise RecipeError(f"{what} must be a table: {shown(table)}")
    for key in table:
        if key not in known:
            raise unknown(f"{what} has no key", key, known)


def _find(source: str | Path) -> Path:
    path = Path(source)
    if os.path.isfile(path / RECIPE):
        raise RecipeError(
            f"{path} is a run folder, not a recipe\n  `kinetic report {path}` shows the run; `kinetic run "
            f"{path / RECIPE} --out DIR` carries its recipe out again."
        )
    if os.path.isfile(path):
        return path
    recipes = shipped()
    if (
        suffix(path) != ".toml" and (own := recipes.find(str(source))) is not None
    ):  # a folder may happen to be called so
        return own
    if suffix(path) == ".toml" or os.path.exists(path):
        raise RecipeError(f"there is no recipe file {str(path)!r}\n  `kinetic recipes` lists the shipped ones.")
    raise unknown("no recipe is named", str(source), recipes, "A recipe of your own is a file that ends in .toml.")


def _check_tables(content: Mapping[str, Any], name: str) -> None:
    for key in ("run", "arms", "trainings"):
        if not isinstance(content.get(key, {}), Mapping):
            raise RecipeError(f"recipe {name!r}: [{key}] must be a table: {shown(content[key])}")
    below = {
        f"{key}.{each}.": table
        for key in ("arms", "trainings")
        for each, table in content.get(key, {}).items()
        if isinstance(table, Mapping)
    }
    for start, table in {"": content, **below}.items():
        for key in _SHARED:
            given = table.get(key, {})
            if not isinstance(given if key in NAMED else named(given), Mapping):
                raise RecipeError(f"recipe {name!r}: [{start}{key}] must be a table: {shown(given)}")


def _check_run(table: Mapping[str, Any]) -> None:
    check_keys("[run]", table, (*_RUN, "dtype", "prompts", "start"))
    if "samples" not in table:
        raise RecipeError("[run] needs `samples`, how many to draw in each arm")
    for key, smallest in _RUN.items():
        if key in table:
            check_integer(f"[run] {key!r}", table[key], at_least=smallest)
    if "classes" in table and "prompts" in table:
        raise RecipeError(
            "[run] gives both `classes` and `prompts`: a sample is asked for one of them\n  Leave one out."
        )
    if table.get("dtype", _DTYPES[0]) not in _DTYPES:
        raise RecipeError(f"[run] 'dtype' must be one of {', '.join(_DTYPES)}: {shown(table['dtype'])}")


def _check_trainings(tables: Mapping[str, Any]) -> None:
    check_apart(tables, "trainings")
    for name, table in tables.items():
        check_name(name, "a training")
        check_keys(f"training {name!r}", table, _SHARED)
    if len(tables) == 1:
        raise RecipeError(
            f"[trainings] holds {next(iter(tables))!r} alone: an interval over trainings takes two, and is fair from "
            "five on\n  Add the others, or set the field under [field]."
        )


def _check_evidence(table: Mapping[str, Any]) -> None:
    check_keys("[evidence]", table, ("delta", "splits"))
    check_integer("[evidence] 'splits'", table.get("splits", 0), at_least=0)
    delta = table.get("delta", 0)
    if isinstance(delta, bool) or not isinstance(delta, int | float) or not 0 <= delta < math.inf:
        raise RecipeError(f"[evidence] 'delta' must be a number >= 0: {shown(delta)}")


def _baselines(arms: Mapping[str, Any]) -> dict[str, str]:
    baselines = {}
    for arm, table in arms.items():
        given = [key for key in _BASELINE if key in table]
        if len(given) > 1:
            raise RecipeError(
                f"arm {arm!r} gives both `baseline` and `against`, two names of one key\n  Leave one out; `--set` "
                "changes it under the name that the recipe gives it."
            )
        key = given[0] if given else "baseline"
        other = table.get(key, next(iter(arms)))
        if not isinstance(other, str) or other not in arms:
            raise unknown(f"arm {arm!r}: `{key}` names no arm:", str(other), arms)
        if other != arm:
            baselines[arm] = other
    return baselines
