"""The runs of a recipe on one device: tried, drawn block by block, judged, and controlled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import torch

from kinetic._evaluate.shared_features import SharedFeatures
from kinetic._evaluate.views import DENOISED
from kinetic._progress import Bars
from kinetic._report.folders import in_words
from kinetic._roles.metric import Score
from kinetic._sample.run import Run
from kinetic._sample.runner import Runner
from kinetic._sample.shard import blocks
from kinetic._store.run_folder import RunFolder
from kinetic.errors import OutOfMemoryError, within


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

    def first_blocks(self, folder: RunFolder, bars: Bars) -> None:
        """Draw the first block of every arm, of half as many samples wherever memory does not hold one.

        Raises:
            OutOfMemoryError: it does not hold one sample, or finished blocks say how many a block has.
        """
        while True:
            size = folder.batch
            try:
                for arm in self.runners:
                    self.fill(arm, folder, [next(blocks(self.samples, size))])
                return
            except OutOfMemoryError as error:
                if size == 1 or not folder.is_new:
                    raise
                folder.record("batch", before=size, after=size // 2, why=str(error))
                bars.say(f"memory does not hold {size} samples at a time: trying {size // 2}")
                folder.set_batch(size // 2)

    def fill(self, arm: str, folder: RunFolder, spans: Iterable[tuple[int, int]]) -> None:
        """Some blocks of an arm, kept in the folder."""
        with within(f"arm {arm!r}"):
            self.runners[arm].fill(folder.store(arm), spans, self.seeds[arm], **self.asked)

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
        self, runs: Mapping[str, Run], baselines: Mapping[str, str], batch: int
    ) -> dict[str, dict[str, Score]]:
        """For each arm in which noise was left, its baseline's scores after the same step; see `Runner.control`.

        Where noise was left in the baseline alone, the arm's own after the step of the baseline.
        """
        controls = {}
        for arm, base in baselines.items():
            noisy, other = (arm, base) if DENOISED in runs[arm].views else (base, arm)
            if DENOISED in runs[noisy].views:
                gain = runs[noisy].energy["gain"]
                with within(f"arm {other!r}, as the control of {noisy!r}"):
                    control = self.runners[other].control
                    asked = {"seed": self.seeds[other], "batch": batch, **self.asked}
                    asked.pop("dtype")  # that of the samples
                    controls[arm] = control(runs[other], gain, **asked, features=self.features)
        return controls
