"""What one of several processes opened for all of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import attrs

from kinetic._store.differences import differences
from kinetic._store.files import names_in, read_toml
from kinetic._store.layout import RECIPE
from kinetic.errors import StoreError

PATIENCE = 60.0
"""Seconds after which every node of a cluster sees what another wrote, with what its file system remembers."""

_LISTED = 8  # differences that an error lists
_PAUSE = 0.5  # seconds between two looks


@final
@attrs.frozen
class Opened:
    """A run folder as the process that leads opened it, for those that fill it too.

    Args:
        path: where.
        recipe: the resolved recipe.
        identity: what makes its samples beside the recipe; see `kinetic._store.provenance.identity`.
        is_new: whether it held no finished block.
    """

    path: Path
    recipe: dict[str, Any]
    identity: Mapping[str, Mapping[str, Any]]
    is_new: bool

    def check(self, identity: Mapping[str, Mapping[str, Any]]) -> None:
        """Refuse to fill the folder with samples that something else makes, or one that is another here.

        Raises:
            StoreError: code, weights, data, packages or the kind of device differ, or the nodes share no file system.
        """
        unlike = list(differences(self.identity, identity))
        if unlike:
            lines = "\n  ".join(unlike[:_LISTED])
            raise StoreError(
                f"samples of {self.path} are made otherwise there, by the process that leads, than here:\n  {lines}\n"
                "  Start all processes with the same code, weights, data and packages."
            )
        until = time.monotonic() + PATIENCE
        while RECIPE not in names_in(self.path) or read_toml(self.path / RECIPE) != self.recipe:
            if time.monotonic() > until:
                raise StoreError(
                    f"{self.path} does not hold the recipe that the process that leads wrote there\n  Choose a folder "
                    "with --out that all nodes see under this path."
                )
            time.sleep(_PAUSE)
