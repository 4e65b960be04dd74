"""A recipe carried out: every arm run, the arms compared, the run folder written."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import attrs
import pyarrow as pa
import torch
from torch import nn

from kinetic import evidence
from kinetic._evaluate.shared_features import SharedFeatures
from kinetic._evaluate.views import DENOISED
from kinetic._experiment.compare import DELTA, compare
from kinetic._experiment.levels import Levels, check_trainings
from kinetic._experiment.over_runs import scores_over_runs
from kinetic._experiment.within_arm import classes
from kinetic._plugins.registry import Registry
from kinetic._progress import Bars, Reporter
from kinetic._report import write_report
from kinetic._roles.dataset import Dataset
from kinetic._roles.metric import Score
from kinetic._roles.tree import inside
from kinetic._sample.draw import find_device
from kinetic._sample.run import Run, estimates
from kinetic._sample.runner import Runner
from kinetic._store.provenance import (
    TIME_MAP,
    environment,
    identity,
    now,
    options_of,
    owners,
    parts_of,
    time_maps,
)
from kinetic._store.run_folder import EVIDENCE, PROVENANCE, SCORES, FinishedRun, RunFolder, load_run
from kinetic.errors import within

NEIGHBOURS = 12
"""How many of the most copy-like samples of an arm are kept beside their nearest training point."""


@final
@attrs.frozen(eq=False)
class Recipe:
    """A checked recipe: every arm is built, so nothing in it can still be misspelt or missing.

    Args:
        name: of the file, without `.toml`; the run folder is named after it.
        content: the recipe with its overrides applied, as TOML would hold it.
        runners: `{run: Runner}`, in the order of the recipe; a run is named after its arm, and where there are several
            of each arm after training and seed too, `kts.b.seed-1`.
        baselines: `{arm: arm}`, what each arm is compared with.
        levels: how often each arm is run.
        start: the data that samples begin at, in place of noise, or None.
        prompts: what samples are asked for, in place of classes: sample i for the prompt of index i mod their number.
    """

    name: str
    content: Mapping[str, Any]
    runners: Mapping[str, Runner]
    baselines: Mapping[str, str]
    levels: Levels
    registry: Registry
    start: Dataset | None = None
    prompts: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What a reader calls it."""
        title: str = self.content.get("title", self.name)
        return title

    @property
    def delta(self) -> float:
        """The smallest difference that matters, `delta` under `[evidence]`; see `compare`."""
        return float(self.content.get("evidence", {}).get("delta", DELTA))

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms, in the order of the recipe."""
        return tuple(self.content.get("arms") or ("base",))

    @property
    def run_baselines(self) -> dict[str, str]:
        """What each run is compared with: the run of the baseline with the same training and seed."""
        return {
            run: other
            for arm, base in self.baselines.items()
            for run, other in zip(self.levels.runs(arm), self.levels.runs(base), strict=True)
        }

    @property
    def against(self) -> Mapping[str, str]:
        """The baselines, by their older name."""
        return self.baselines

    def run(self, out: str | Path | None = None, device: str = "auto", reporter: Reporter | None = None) -> FinishedRun:
        """Run every arm, compare them, and write the run folder with its report.

        A run that was cut short goes on where it stopped; one that is finished is only scored and drawn again.

        Args:
            out: the run folder, `runs/NAME` by default.
            device: a torch device, or "auto".
            reporter: shows how far the run is; by default by a progress bar on a terminal.
        """
        return run_experiment(self, Path(out) if out else Path("runs") / self.name, device, reporter or Reporter())


def run_experiment(recipe: Recipe, out: Path, device: str, reporter: Reporter) -> FinishedRun:
    """Run, compare, write; see `Recipe.run`."""
    on = find_device(device, next(iter(recipe.runners.values())).field)
    parts = {arm: parts_of(runner) for arm, runner in recipe.runners.items()}
    weights = identity(parts, recipe.start, recipe.prompts)
    units = {arm: recipe.levels.units(arm) for arm in recipe.arms} if recipe.levels.of else {}
    if recipe.levels.trainings:
        check_trainings(units, weights)
    folder = RunFolder.open(out, recipe.content, weights)
    before = folder.provenance()
    seconds: dict[str, float] = before.get("seconds", {})
    provenance = _provenance(recipe, parts, on) | {"started": before.get("started", now()), "weights": weights}
    folder.save_json(PROVENANCE, {**provenance, "seconds": seconds})
    with reporter.running() as bars:
        arms = Arms.of(recipe, on)
        arms.dry_run()
        runs = {arm: arms.run(arm, folder, bars, seconds) for arm in recipe.runners}
        bars.say("comparing the arms")
        folder.save_table(joined_table(runs))
        scores = {run: _scores(each) for run, each in runs.items()}
        folder.save_json(SCORES, scores)
        controls = arms.controls(runs, recipe.run_baselines)
        said = compare(runs, recipe.run_baselines, controls, recipe.delta, units, recipe.levels.of)
        if units:
            said["over_runs"]["scores"] = {arm: scores_over_runs(own, scores) for arm, own in units.items()}
        folder.save_json(EVIDENCE, {**said, "one_training": _trained_once(recipe)})
        for arm, run in runs.items():
            _keep_neighbours(folder, arm, run)
        folder.save_json(PROVENANCE, {**provenance, "finished": now(), "seconds": seconds})
        bars.say("drawing the report")
        write_report(out)
    return load_run(out)


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

    @classmethod
    def of(cls, recipe: Recipe, device: torch.device) -> Arms:
        """Those of a recipe."""
        table, memo = recipe.content["run"], dict[int, Any]()
        runners = {arm: runner.to_device(device, memo) for arm, runner in recipe.runners.items()}
        return cls(
            runners,
            table["samples"],
            {run: seed for arm in recipe.arms for run, (_, seed) in recipe.levels.runs(arm).items()},
            {
                "classes": recipe.prompts or table.get("classes"),
                "batch": table.get("batch"),
                "device": device,
                "dtype": getattr(torch, table["dtype"]) if "dtype" in table else None,
                "start": recipe.start,
            },
        )

    def dry_run(self) -> None:
        """The first step of every arm, before any sample is drawn."""
        asked = {name: value for name, value in self.asked.items() if name != "batch"}
        for arm, runner in self.runners.items():
            with within(f"arm {arm!r}"):
                runner.dry_run(self.seeds[arm], **asked, features=self.features)

    def run(self, arm: str, folder: RunFolder, bars: Bars, seconds: dict[str, float]) -> Run:
        """One arm, its finished samples kept in the folder; `seconds` takes how long it was."""
        began = time.perf_counter()
        with within(f"arm {arm!r}"):
            run = self.runners[arm].run(
                self.samples,
                self.seeds[arm],
                **self.asked,
                store=folder.store(arm),
                features=self.features,
                progress=bars.arm(arm, self.samples),
            )
        seconds.setdefault(arm, round(time.perf_counter() - began, 3))  # finished before, it only reads samples back
        return run

    def controls(self, runs: Mapping[str, Run], baselines: Mapping[str, str]) -> dict[str, dict[str, Score]]:
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
                    asked = {"seed": self.seeds[other], **self.asked}
                    asked.pop("dtype")  # that of the samples
                    controls[arm] = control(runs[other], gain, **asked, features=self.features)
        return controls


def _provenance(recipe: Recipe, parts: Mapping[str, Mapping[str, Any]], device: torch.device) -> dict[str, Any]:
    known = recipe.registry
    return {
        "recipe": recipe.name,
        "title": recipe.title,
        "time_map": TIME_MAP,
        "time_maps": {arm: found for arm, own in parts.items() if (found := time_maps(own["field"]))},
        "run": dict(recipe.content["run"]),
        "prompts": list(recipe.prompts),
        "against": recipe.run_baselines,
        "runs": {
            run: {"arm": arm, "training": training, "seed": seed}
            for arm in recipe.arms
            for run, (training, seed) in recipe.levels.runs(arm).items()
        },
        "arms": {arm: {name: options_of(part, known) for name, part in own.items()} for arm, own in parts.items()},
        "owners": owners([part for own in parts.values() for part in own.values()], known),
        **environment(device),
        "plugins": [f"{plugin.name} ({plugin.distribution} {plugin.version})" for plugin in known.plugins],
    }


def _trained_once(recipe: Recipe) -> list[str]:
    """The arms whose field holds a network of which there is one training."""
    if recipe.levels.trainings:
        return []
    first = {arm: next(iter(recipe.levels.runs(arm))) for arm in recipe.arms}
    return [arm for arm, run in first.items() if inside(recipe.runners[run].field, nn.Module)]


def joined_table(runs: Mapping[str, Run]) -> pa.Table:
    """The rows of all arms, with a first column `arm`; a column an arm does not have is null there."""
    tables = []
    for arm, run in runs.items():
        rows = run.table
        tables.append(rows.add_column(0, "arm", pa.array([arm] * len(rows))))
    return pa.concat_tables(tables, promote_options="default").unify_dictionaries()


def _scores(run: Run) -> dict[str, dict[str, Any]]:
    keep = run.reached
    columns = {name: c[keep] for name, c in run.energy.items() if c.dim() == 1 and name != "status"}
    strata = classes(run, keep.numpy())
    means = {
        name: evidence.mean(column.numpy(), strata) if len(column) and bool(column.isfinite().all()) else None
        for name, column in columns.items()
    }
    return {"energy": {name: None if mean is None else mean.to_json() for name, mean in means.items()}} | {
        metric: {name: estimate.to_json() for name, estimate in values.items()}
        for metric, values in estimates(run.views).items()
    }


def _keep_neighbours(folder: RunFolder, arm: str, run: Run) -> None:
    """Of the first metric that points into a data set, the samples it thinks worst of beside the points."""
    for metric, score in run.details.items():
        columns = [column for column in score.described.values() if column.name in score.columns]
        ranks = next((c for c in columns if c.kind == "score"), None)
        index = next((c for c in columns if c.kind == "index"), None)
        if score.nearest is not None and ranks is not None and index is not None:
            values = score.columns[ranks.name].double()
            ids = torch.argsort(-values if ranks.better == "lower" else values, stable=True)[:NEIGHBOURS]
            points = score.columns[index.name][ids]
            nearest = torch.cat([score.nearest.read(point, point + 1) for point in points.tolist()])
            kept = {"ids": ids, "samples": run.samples[ids], "nearest": nearest.cpu(), "points": points}
            folder.save_neighbours(arm, {**kept, "values": values[ids]}, f"{metric}.{ranks.name}")
            return
