"""The runs of a recipe on one device: tried, drawn block by block, judged, and controlled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any

import attrs
import torch

from kinetic._evaluate.shared_features import SharedFeatures
from kinetic._evaluate.views import DENOISED
from kinetic._experiment.ranks import Ranks
from kinetic._progress import Bars
from kinetic._report.folders import in_words
from kinetic._roles.metric import Score
from kinetic._sample.integrate import Progress
from kinetic._sample.run import Run
from kinetic._sample.runner import Runner
from kinetic._sample.shard import blocks
from kinetic._store.run_folder import RunFolder
from kinetic.errors import OutOfMemoryError, RankError, within

Block = tuple[str, int, int]
"""Whose samples, and the ids of the first and of the one after the last."""


@attrs.frozen(eq=False)
class Arms:
    """The runners of a recipe on one device, where what they share is there once, and what is asked of them.

    Args:
        runners: `{run: Runner}`.
        samples: of each.
        seeds: `{run: seed}`.
        asked: the other arguments, of all of them.
    """

    runners: Mapping[str, Runner]
    samples: int
    seeds: Mapping[str, int]
    asked: Mapping[str, Any]
    features: SharedFeatures = attrs.field(factory=SharedFeatures)

    def dry_run(self) -> None:
        """The first step of every arm, before any sample is drawn."""
        for arm, runner in self.runners.items():
            with within(f"arm {arm!r}"):
                runner.dry_run(self.seeds[arm], **self.asked, features=self.features)

    def block(self, device: torch.device) -> int:
        """How many samples of each arm are drawn at a time where no number is given."""
        return min(runner.block(device, self.asked["dtype"]) for runner in self.runners.values())

    def blocks(self, size: int) -> list[Block]:
        """All blocks of so many samples, arm by arm."""
        return [(arm, *span) for arm in self.runners for span in blocks(self.samples, size)]

    def missing(self, folder: RunFolder) -> list[Block]:
        """The blocks that a folder does not hold as they were written."""
        stores = {arm: folder.store(arm) for arm in self.runners}
        return [block for block in self.blocks(folder.batch) if not stores[block[0]].is_whole(*block[1:])]

    def first_blocks(self, folder: RunFolder, bars: Bars, ranks: Ranks) -> None:
        """Draw the first block of every arm, of half as many samples wherever memory does not hold one.

        Of several ranks each draws the first of its own. A folder that holds finished blocks says how many samples a
        block has: nothing is tried there.

        Raises:
            OutOfMemoryError: memory does not hold one sample.
            RankError: that of another rank does not.
        """
        while folder.is_new:
            size, error = folder.batch, None
            first = {block[0]: block for block in reversed(self.blocks(size)[ranks.rank :: ranks.world])}
            try:
                self.fill(folder, reversed(first.values()))
            except OutOfMemoryError as ours:
                error = ours
            why = next(filter(None, ranks.of_all(error and str(error))), None)
            if why is None:
                return
            if size == 1:
                raise error or RankError(f"memory of another rank does not hold one sample\n  {why}")
            if ranks.leads:
                folder.record("batch", before=size, after=size // 2, why=why)
            bars.say(f"memory does not hold {size} samples at a time: trying {size // 2}")
            folder.set_batch(size // 2)

    def fill(
        self, folder: RunFolder, some: Iterable[Block], shown: Callable[[str], Progress | None] = lambda arm: None
    ) -> None:
        """Draw some blocks, those of each arm in a row, and keep them in the folder; `shown` is asked arm by arm."""
        for arm, own in groupby(some, lambda block: block[0]):
            with within(f"arm {arm!r}"):
                spans = [block[1:] for block in own]
                self.runners[arm].fill(folder.store(arm), spans, self.seeds[arm], **self.asked, progress=shown(arm))

    def run(self, arm: str, folder: RunFolder, bars: Bars) -> Run:
        """One arm, its finished samples kept in the folder."""
        with within(f"arm {arm!r}"):
            drawn = self.runners[arm].run(
                self.samples,
                self.seeds[arm],
                folder.batch,
                **self.asked,
                store=folder.store(arm),
                features=self.features,
                progress=bars.arm(arm, self.samples),
            )
        if again := folder.drawn_again.get(arm):
            bars.say(f"{arm}: drawn again, since the files were damaged: samples {in_words(again)}")
        return drawn

    def controls(
        self, runs: Mapping[str, Run], pairs: Iterable[tuple[str, str]], batch: int
    ) -> dict[tuple[str, str], dict[str, Score]]:
        """For each arm in which noise was left, its baseline's scores after the same step; see `Runner.control`.

        Where noise was left in the baseline alone, the arm's own after the step of the baseline. `pairs` are arms, each
        with its baseline.
        """
        controls = {}
        for arm, base in dict.fromkeys(pairs):
            noisy, other = (arm, base) if DENOISED in runs[arm].views else (base, arm)
            if DENOISED in runs[noisy].views:
                gain = runs[noisy].energy["gain"]
                with within(f"arm {other!r}, as the control of {noisy!r}"):
                    control = self.runners[other].control
                    asked = {"seed": self.seeds[other], "batch": batch, **self.asked}
                    asked.pop("dtype")  # that of the samples
                    controls[arm, base] = control(runs[other], gain, **asked, features=self.features)
        return controls
