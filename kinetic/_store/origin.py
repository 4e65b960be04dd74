"""What made the samples of a run folder, held against what would go on with them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from kinetic._store.differences import differences
from kinetic._store.layout import RECIPE
from kinetic._store.provenance import CODE, PACKAGES, SHARED, digest
from kinetic.errors import StoreError

ANOTHER = "Choose another folder with --out"
_LISTED = 8  # differences that an error lists
_DRAWN = ("batch", "dtype", "classes")  # the keys of [run] that samples depend on, beside their seed


class Change(Enum):
    """In what the recipe may differ from that of the folder it goes on with."""

    NOTHING = "nothing"
    SAMPLES = "samples"
    METRICS = "metrics"


def runs_of(identity: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The runs whose samples an identity is of."""
    return [run for run in identity if run != SHARED]


def made_of(recipe: Mapping[str, Any], identity: Mapping[str, Mapping[str, Any]], run: str) -> str:
    """The digest of all that makes the samples of a run of an arm; see `kinetic._store.provenance.identity`."""
    asked = {key: value for key, value in recipe["run"].items() if key in _DRAWN}
    return digest({"run": asked, "shared": identity.get(SHARED, {}), "own": identity.get(run, {})})


def unlike_recipe(theirs: Mapping[str, Any], ours: Mapping[str, Any], change: Change = Change.NOTHING) -> list[str]:
    """A line for each key in which the recipe of a folder is not this one, beside those that may change."""
    if change is Change.SAMPLES:
        if isinstance(theirs.get("run"), Mapping):
            theirs = {**theirs, "run": {**theirs["run"], "samples": ours["run"]["samples"]}}
    elif change is Change.METRICS:
        theirs = {key: value for key, value in theirs.items() if key != "metrics"}
        ours = {key: value for key, value in ours.items() if key != "metrics"}
    return list(differences(theirs, ours))


def unlike_origin(made_by: Mapping[str, Any], identity: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A line for each tensor, piece of code, data set and package that is not the one that made the samples."""
    return list(differences(made_by, json.loads(json.dumps(identity))))


def check_recipe(
    path: Path,
    theirs: Mapping[str, Any],
    ours: Mapping[str, Any],
    change: Change = Change.NOTHING,
    claims: bool = True,
) -> None:
    """Refuse to go on with a folder of another recipe, but for what may change; `claims`, whether they may.

    Raises:
        StoreError: they differ; it says in what, and the way on.
    """
    if claims:  # no sample and no score depends on them
        theirs, ours = ({key: value for key, value in each.items() if key != "claims"} for each in (theirs, ours))
    run, here = theirs.get("run"), ours["run"]["samples"]
    there = run.get("samples") if isinstance(run, Mapping) else None
    unlike = unlike_recipe(theirs, ours, change)
    if not unlike and change is Change.SAMPLES and isinstance(there, int) and here < there:
        raise StoreError(
            f"{path} holds {there} samples of each arm, which no run of {here} can be\n  Give at least {there} with "
            f"--extend. {ANOTHER}, or delete it."
        )
    if unlike:
        lines = "\n  ".join(listed(unlike))
        raise StoreError(f"{path} holds another run:\n  {lines}\n  {_way_on(path, unlike, there, here)}")


def check_origin(path: Path, made_by: Mapping[str, Any], identity: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse to mix samples that were made by other code, weights, data or packages.

    Raises:
        StoreError: they were; it says which.
    """
    unlike = unlike_origin(made_by, identity)
    if unlike:
        lines = "\n  ".join(listed(unlike))
        raise StoreError(f"{path} was made with other {kind_of(unlike)}:\n  {lines}\n  {ANOTHER}, or delete it.")


def goes_on(path: Path) -> str:
    """How to go on with the run of a folder."""
    return f"`kinetic run {shlex.quote(str(path / RECIPE))} --out {shlex.quote(str(path))}` goes on with it."


def listed(unlike: Sequence[str]) -> list[str]:
    """The first of many lines, and how many more there are."""
    more = [f"and {len(unlike) - _LISTED} more"] if len(unlike) > _LISTED else []
    return [*unlike[:_LISTED], *more]


def kind_of(unlike: Sequence[str]) -> str:
    """What differs, in a word or two."""
    if all(f".{CODE}" in line for line in unlike):
        return "code"
    if all(line.startswith(tuple(f"[run].{name} " for name in ("device", "plugins", *PACKAGES))) for line in unlike):
        return "packages or device"
    return "weights or data"


def _way_on(path: Path, unlike: Sequence[str], there: object, here: int) -> str:
    way = f"{ANOTHER}, or delete it."
    if all(line.startswith("run.samples ") for line in unlike) and isinstance(there, int):
        more = f"`--extend {here}` adds samples to it" if here > there else f"`--extend {there}` goes on with it"
        return f"{more}. {way}"
    if all(line.startswith("metrics") and " is missing there " in line for line in unlike):
        return f"`kinetic rescore {shlex.quote(str(path))} --metrics ...` adds metrics to it. {way}"
    if all(line.startswith("metrics") and line.endswith(" missing here") for line in unlike):
        return f"{goes_on(path)} {way}"
    return way
