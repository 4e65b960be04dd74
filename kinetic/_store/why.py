"""What a run would compute again in a folder, and why."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import attrs

from kinetic._store.files import names_in
from kinetic._store.layout import EVIDENCE, PROVENANCE, RECIPE, REPORT, SCORES, TABLE, shard_name
from kinetic._store.manifest import Manifest
from kinetic._store.origin import made_of, unlike_origin, unlike_recipe
from kinetic._store.take_up import TakeUp, provenance_in, spans_of
from kinetic.errors import StoreError

_FILES = (RECIPE, PROVENANCE, TABLE, SCORES, EVIDENCE, REPORT)
Spans = tuple[tuple[int, int], ...]


@final
@attrs.frozen
class Why:
    """What a run would compute again.

    Args:
        folder: where.
        refused: what the run would end with, in place of computing anything; empty where it goes on.
        recipe: a line for each key in which the recipes differ.
        origin: a line for each tensor, piece of code, data set and package that is not the one that made the samples.
        missing: `{run: blocks}` that were never finished.
        damaged: `{run: blocks}` whose files are not what was written.
        otherwise: `{run: blocks}` that something else made.
        blocks: how many each run has.
        files: `{file: why}`, the tables, evidence and report that are not there or not what was written. The run writes
            all of them again, from the samples.
    """

    folder: Path
    refused: str
    recipe: tuple[str, ...]
    origin: tuple[str, ...]
    missing: Mapping[str, Spans]
    damaged: Mapping[str, Spans]
    otherwise: Mapping[str, Spans]
    blocks: int
    files: Mapping[str, str]


def why_again(
    folder: Path, recipe: Mapping[str, Any], identity: Mapping[str, Mapping[str, Any]], batch: int = 1
) -> Why:
    """What a run of a recipe would compute again in a folder; nothing is computed and nothing written.

    Args:
        folder: where.
        recipe: resolved.
        identity: what makes its samples beside the recipe; see `kinetic._store.provenance.identity`.
        batch: how many samples a block has where neither the recipe nor the folder says.
    Raises:
        StoreError: the folder holds no run, or its list cannot be read.
    """
    manifest, ours, refused = Manifest.read(folder), copy.deepcopy(dict(recipe)), ""
    if RECIPE not in names_in(folder) and not manifest.entries:
        raise StoreError(f"{folder} holds no run: there is no {RECIPE} in it")
    take_up = TakeUp(folder, manifest, ours, identity, looks=True)
    try:
        take_up.check(batch)
    except StoreError as error:
        refused = str(error)
    theirs, made_by = take_up.whole_recipe(), provenance_in(manifest).get("made_by")
    kinds = {
        (run, span): _kind(manifest, shard_name(run, *span), made_of(ours, identity, run))
        for run in identity
        if run != "[run]"
        for span in spans_of(ours)
    }
    return Why(
        folder=folder,
        refused=refused,
        recipe=tuple(unlike_recipe(theirs, ours)) if theirs else (),
        origin=tuple(unlike_origin(made_by, identity)) if made_by else (),
        missing=_of("missing", kinds),
        damaged=_of("damaged", kinds),
        otherwise=_of("otherwise", kinds),
        blocks=len(spans_of(ours)),
        files=dict(_wanting(manifest)),
    )


def _of(kind: str, kinds: Mapping[tuple[str, tuple[int, int]], str]) -> dict[str, Spans]:
    """The blocks of each run that are of a kind."""
    runs = dict.fromkeys(run for (run, _), each in kinds.items() if each == kind)
    return {run: tuple(span for (own, span), each in kinds.items() if (own, each) == (run, kind)) for run in runs}


def _kind(manifest: Manifest, name: str, made: str) -> str:
    if name not in manifest.entries:
        return "missing"
    if manifest.entries[name].made != made:
        return "otherwise"
    return "" if _is_whole(manifest, name) else "damaged"


def _wanting(manifest: Manifest) -> list[tuple[str, str]]:
    wanting = []
    for name in _FILES:
        if name not in manifest.entries:
            wanting.append((name, "not written yet"))
        elif not _is_whole(manifest, name):
            wanting.append((name, "missing or damaged"))
    return wanting


def _is_whole(manifest: Manifest, name: str) -> bool:
    try:
        return bool(manifest.check(name))
    except StoreError:
        return False
