"""Whether the files of a run folder are what was written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import final

import attrs

from kinetic._store.files import names_in
from kinetic._store.layout import EVIDENCE, RECIPE, is_made_first, shard_name
from kinetic._store.manifest import Manifest
from kinetic._store.planned import planned
from kinetic.errors import StoreError


@final
@attrs.frozen
class Verified:
    """What a look at every file of a run folder gave.

    Args:
        folder: where.
        files: how many files are listed.
        damaged: `{file: what is wrong}`, those that are not what was written.
        missing: listed files that are not there.
        unlisted: files that are there and not listed: nobody reads them.
        lacking: `{run: ((start, stop), ...)}`, the blocks of samples of which there is no whole file.
        blocks: how many blocks each run is to have.
        is_finished: whether the run was finished.
    """

    folder: Path
    files: int
    damaged: Mapping[str, str]
    missing: tuple[str, ...]
    unlisted: tuple[str, ...]
    lacking: Mapping[str, tuple[tuple[int, int], ...]]
    blocks: int
    is_finished: bool

    @property
    def is_whole(self) -> bool:
        """Whether every listed file is what was written, and of a finished run every block is there."""
        return not (self.damaged or self.missing or (self.is_finished and self.lacking))


def verify(
    folder: str | Path, bar: Callable[[int], Callable[[float], None]] = lambda files: lambda done: None
) -> Verified:
    """Read every listed file of a run folder, and hold it to its SHA-256.

    A run may be writing to the folder: what it writes meanwhile is taken for what it lists.

    Args:
        folder: a finished run, one that was cut short, or one under way.
        bar: called with the number of files; what it returns is called with how many more were read.
    Raises:
        StoreError: the folder holds no run, or its list cannot be read.
    """
    path = Path(folder)
    manifest = _listed(path)
    names = list(manifest.entries)
    failures = _failures(manifest, names, bar(len(names)))
    unlisted = set(_unlisted(path, manifest))
    if failures or unlisted:  # a file is put in place before it is listed
        manifest.refresh()
        failures = _failures(manifest, [name for name in failures if name in manifest.entries], lambda done: None)
        unlisted &= set(_unlisted(path, manifest))
    plan, whole = planned(manifest), manifest.entries.keys() - failures
    lacking = {run: tuple(span for span in plan.spans if shard_name(run, *span) not in whole) for run in plan.runs}
    return Verified(
        path,
        len(manifest.entries),
        {name: why for name, why in failures.items() if os.path.lexists(path / name)},
        tuple(name for name in failures if not os.path.lexists(path / name)),
        tuple(sorted(unlisted)),
        {run: spans for run, spans in lacking.items() if spans},
        len(plan.spans),
        EVIDENCE in manifest.entries,
    )


def _listed(path: Path) -> Manifest:
    manifest = Manifest.read(path)
    if not manifest.entries:
        there = RECIPE in names_in(path)
        lost = "it lists no files, so nothing tells whether they are what was written"
        raise StoreError(f"{path} holds no run" + (f" that can be verified: {lost}" if there else ""))
    return manifest


def _failures(manifest: Manifest, names: Iterable[str], progress: Callable[[float], None]) -> dict[str, str]:
    failures = {}
    for name in names:
        try:
            manifest.check(name)
        except StoreError as error:
            failures[name] = str(error).partition("\n")[0]
        progress(1)
    return failures


def _unlisted(path: Path, manifest: Manifest) -> Iterator[str]:
    for folder, _, files in os.walk(path):
        for file in files:
            name = Path(folder, file).relative_to(path).as_posix()
            if name not in manifest.entries and not is_made_first(file):
                yield name
