"""What a run folder is to hold when it is finished."""

from __future__ import annotations

from pathlib import Path
from typing import final

import attrs

from kinetic._sample.shard import blocks
from kinetic._store.files import read_toml
from kinetic._store.layout import RECIPE
from kinetic._store.manifest import Manifest
from kinetic._store.take_up import provenance_in, shards_in
from kinetic.errors import StoreError


@final
@attrs.frozen
class Planned:
    """The runs of a folder and how they are cut.

    Args:
        runs: of arms, in the order of the recipe.
        samples: of each run.
        batch: how many samples a block has; 0 where nothing in the folder says.
    """

    runs: tuple[str, ...]
    samples: int
    batch: int

    @property
    def spans(self) -> list[tuple[int, int]]:
        """The (start, stop) of every block of a run."""
        return list(blocks(self.samples, self.batch)) if self.batch else []


def planned(manifest: Manifest) -> Planned:
    """What a folder is to hold, by its recipe and its provenance, or what is left of them.

    Where the provenance is lost, runs are those of which blocks are listed.
    """
    origin = provenance_in(manifest)
    try:
        table = read_toml(manifest.check(RECIPE)).get("run", {})
    except StoreError:
        table = origin.get("run", {})
    runs = origin.get("runs") or dict.fromkeys(name.split("/")[1] for name in shards_in(manifest))
    return Planned(tuple(runs), table.get("samples", 0), table.get("batch", 0))


def recipe_name(path: Path) -> str:
    """What a recipe is called: its file, or in a run folder what the run was called."""
    origin = provenance_in(Manifest.read(path.parent)) if path.name == RECIPE else {}
    return str(origin.get("recipe", path.stem))
