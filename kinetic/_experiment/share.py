"""The blocks of a run, drawn by all ranks."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import final

from kinetic._experiment.arms import Arms, Block
from kinetic._experiment.ranks import Ranks
from kinetic._progress import Bars
from kinetic._sample.integrate import Progress
from kinetic._store.files import names_in
from kinetic._store.layout import SHARDS, shard_name
from kinetic._store.opened import PATIENCE
from kinetic._store.run_folder import RunFolder
from kinetic.errors import StoreError

_LOOK = 0.5  # seconds between two looks at what others have finished
_NAMED = 8  # blocks that an error names


def share_blocks(arms: Arms, folder: RunFolder, bars: Bars, ranks: Ranks) -> None:
    """Draw the blocks that the folder lacks, each rank every n-th of them, and wait until all are there.

    Where memory does not hold a block before any is finished, all ranks cut the run into smaller ones.

    Raises:
        StoreError: what other ranks drew is not in the folder.
    """
    arms.first_blocks(folder, bars, ranks)
    if ranks.world == 1:
        return
    every = arms.blocks(folder.batch)
    lacking = every if folder.is_new else ranks.of_first(arms.missing(folder) if ranks.leads else None)
    own = lacking[ranks.rank :: ranks.world]
    if not ranks.leads:
        arms.fill(folder, own)
        ranks.wait(lambda: None)
        return
    watch = Watch(folder, bars, arms, set(every).difference(own))
    arms.fill(folder, own, watch.arm)
    ranks.wait(watch.look)
    _take_in(arms, folder)


def listed(blocks: list[Block]) -> str:
    """The first of some blocks, as an error names them, and how many more there are."""
    named = [f"arm {arm!r}: samples {start} to {stop - 1}" for arm, start, stop in blocks[:_NAMED]]
    more = [f"and {len(blocks) - _NAMED} more"] if len(blocks) > _NAMED else []
    return "\n  ".join([*named, *more])


@final
class Watch:
    """Shows how far all ranks are: the path that this one walks, and what others have finished."""

    def __init__(self, folder: RunFolder, bars: Bars, arms: Arms, theirs: Iterable[Block]) -> None:
        self._folder = folder
        self._shown = {arm: bars.arm(arm, arms.samples) for arm in arms.runners}
        self._sizes: dict[str, dict[str, int]] = {arm: {} for arm in arms.runners}
        for arm, start, stop in theirs:
            self._sizes[arm][shard_name(arm, start, stop)] = stop - start
        self._seen = dict.fromkeys(arms.runners, 0)
        self._looked = float("-inf")
        self.look()

    def arm(self, name: str) -> Progress:
        """Called as this rank moves samples of an arm."""

        def on_progress(done: float) -> None:
            self._shown[name](done)
            self.look()

        return on_progress

    def look(self) -> None:
        """See which blocks others have finished, a few times a second at most."""
        if time.monotonic() - self._looked < _LOOK:
            return
        for arm, sizes in self._sizes.items():
            there = names_in(self._folder.path / SHARDS / arm)
            seen = sum(sizes.get(f"{SHARDS}/{arm}/{name}", 0) for name in there)
            self._shown[arm](seen - self._seen[arm])
            self._seen[arm] = seen
        self._looked = time.monotonic()


def _take_in(arms: Arms, folder: RunFolder) -> None:
    """Take up what all ranks wrote, as soon as the file system shows it here."""
    until = time.monotonic() + PATIENCE
    folder.manifest.refresh()
    while lacking := arms.missing(folder):
        if time.monotonic() > until:
            raise StoreError(
                f"{folder.path} lacks {len(lacking)} blocks that other ranks have finished:\n  {listed(lacking)}\n"
                "  Choose a folder with --out that all nodes see under this path."
            )
        time.sleep(_LOOK)
        folder.manifest.refresh()
    folder.manifest.compact()
