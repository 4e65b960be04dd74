"""A recipe carried out: every arm run, the arms compared, the run folder written."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, final

import attrs
import torch

from kinetic._display import Card, Displayed, brief
from kinetic._evaluate.noise_floor import SPLITS
from kinetic._experiment.arms import Arms
from kinetic._experiment.claims.claim import Claim
from kinetic._experiment.claims.decide_claims import claimed_pairs, decide_claims
from kinetic._experiment.claims.results import Results
from kinetic._experiment.compare import DELTA
from kinetic._experiment.floors import floors
from kinetic._experiment.levels import Levels, Units, check_trainings, trained_once
from kinetic._experiment.ranks import Ranks
from kinetic._experiment.share import share_blocks
from kinetic._experiment.tables import left_out, write_tables
from kinetic._plugins.registry import Registry
from kinetic._progress import Bars, Reporter
from kinetic._report import write_report
from kinetic._roles.dataset import Dataset
from kinetic._sample.draw import find_device
from kinetic._sample.runner import Runner
from kinetic._store.declared import CLAIMS, FIRST
from kinetic._store.events import seconds_of
from kinetic._store.finished_run import FinishedRun
from kinetic._store.layout import EVIDENCE, PROVENANCE
from kinetic._store.origin import Change
from kinetic._store.provenance import (
    TIME_MAP,
    environment,
    identity,
    now,
    options_of,
    owners,
    parts_of,
    time_maps,
    weight_hashes,
)
from kinetic._store.run_folder import RunFolder


@final
@attrs.frozen(eq=False, repr=False)
class Recipe(Displayed):
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
        claims: what it claims before it is run, `{name: Claim}`.
    """

    name: str
    content: Mapping[str, Any]
    runners: Mapping[str, Runner]
    baselines: Mapping[str, str]
    levels: Levels
    registry: Registry
    start: Dataset | None = None
    prompts: tuple[str, ...] = ()
    claims: Mapping[str, Claim] = attrs.field(factory=dict)

    @property
    def title(self) -> str:
        """What a reader calls it."""
        return str(self.content.get("title", self.name))

    def _card(self) -> Card:
        run = self.content["run"]
        title = f"Recipe {self.name}: {self.title}, {run['samples']:,} samples in each of {len(self.runners)} runs"
        return Card(title, tuple((name, _parts_in_short(runner)) for name, runner in self.runners.items()))

    @property
    def delta(self) -> float:
        """The smallest difference that matters, `delta` under `[evidence]`; see `compare`."""
        return float(self.content.get("evidence", {}).get("delta", DELTA))

    @property
    def splits(self) -> int:
        """How often data are split for noise floors, `splits` under `[evidence]`; none below 2."""
        return int(self.content.get("evidence", {}).get("splits", SPLITS))

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms, in the order of the recipe."""
        return tuple(self.content.get("arms") or ("base",))

    @property
    def seeds(self) -> dict[str, int]:
        """`{run: seed}`."""
        return {run: seed for arm in self.arms for run, (_, seed) in self.levels.runs(arm).items()}

    @property
    def run_baselines(self) -> dict[str, str]:
        """What each run is compared with: the run of the baseline with the same training and seed."""
        return {
            run: other
            for arm, base in self.baselines.items()
            for run, other in zip(self.levels.runs(arm), self.levels.runs(base), strict=True)
        }

    def run(
        self,
        out: str | Path | None = None,
        device: str = "auto",
        reporter: Reporter | None = None,
        *,
        extend: bool = False,
        ranks: Ranks | None = None,
    ) -> FinishedRun:
        """Run every arm, compare them, and write the run folder with its report.

        A run that was cut short goes on where it stopped; one that is finished is only scored and drawn again.
        The process is alone in it unless `ranks` are given: then each of them calls this.

        Args:
            out: the run folder, `runs/NAME` by default.
            device: a torch device, or "auto".
            reporter: shows how far the run is; by default by a progress bar on a terminal.
            extend: whether the folder may hold a run of the same recipe with fewer samples, which are kept.
            ranks: the processes that share the run.
        Raises:
            RankError: another rank has ended before its work was done.
        """
        path = Path(out) if out else Path("runs") / self.name
        change = Change.SAMPLES if extend else Change.NOTHING
        return run_experiment(self, path, device, reporter or Reporter(), change, ranks or Ranks())


@final
@attrs.frozen(eq=False)
class Prepared:
    """A recipe on a device, before anything is drawn.

    Args:
        recipe: which.
        device: what samples are drawn and judged on.
        arms: its runs there.
        units: `{arm: its runs}`, where arms are run several times.
        made_by: what makes the samples; see `kinetic._store.provenance.identity`.
        origin: what `provenance.json` says before the run has begun.
    """

    recipe: Recipe
    device: torch.device
    arms: Arms
    units: Mapping[str, Units]
    made_by: Mapping[str, Mapping[str, str]]
    origin: Mapping[str, Any]

    @classmethod
    def of(cls, recipe: Recipe, device: str) -> Prepared:
        """A recipe on a torch device, or on "auto"."""
        on = find_device(device, next(iter(recipe.runners.values())).field)
        parts = {run: parts_of(runner) for run, runner in recipe.runners.items()}
        memo: dict[int, bytes] = {}
        weights = weight_hashes(parts, memo)
        units = {arm: recipe.levels.units(arm) for arm in recipe.arms} if recipe.levels.of else {}
        if recipe.levels.trainings:
            check_trainings(units, weights)
        arms = arms_of(recipe, on)
        made_by = identity_of(recipe, on, memo)
        origin = _provenance(recipe, parts, on) | {"weights": weights, "made_by": made_by}
        return cls(recipe, on, arms, units, made_by, origin)

    @contextlib.contextmanager
    def opened(self, out: Path, *, change: Change = Change.NOTHING, writer: str = "") -> Iterator[RunFolder]:
        """The folder of the run, held for writing, after the first step of every arm was tried."""
        batch, origin = self.arms.block(self.device), self.origin
        held = RunFolder.open(
            out, self.recipe.content, self.made_by, batch=batch, change=change, writer=writer, origin=origin
        )
        with held as folder:
            folder.started(device=str(self.device))
            self.arms.dry_run()
            yield folder

    @contextlib.contextmanager
    def shared(self, out: Path, change: Change, ranks: Ranks) -> Iterator[RunFolder]:
        """The folder of the run, opened by rank 0 and then held by all."""
        with contextlib.ExitStack() as held:
            opened = ranks.each(lambda: held.enter_context(self.opened(out, change=change)) if ranks.leads else None)
            leader = ranks.of_first(opened and opened.opened())
            joined = ranks.each(
                lambda: opened or held.enter_context(RunFolder.join(leader, self.made_by, ranks.writer))
            )
            if not ranks.leads:
                joined.started(device=str(self.device))
            yield joined


def run_experiment(
    recipe: Recipe,
    out: Path,
    device: str,
    reporter: Reporter,
    change: Change,
    ranks: Ranks,
    check: Callable[[Prepared, RunFolder], None] = lambda made, folder: None,
) -> FinishedRun:
    """Run, compare, write; see `Recipe.run`. `check` is called before anything is drawn.

    Where metrics change, nothing is: every block must be there.
    """
    made = ranks.each(lambda: Prepared.of(recipe, device))
    with made.shared(out, change, ranks) as folder, reporter.running() as bars:
        check(made, folder)
        share_blocks(made.arms, folder, bars, ranks)
        if ranks.leads:
            _judge(made, folder, bars)
        ranks.of_all(None)  # all return when it is finished
    return FinishedRun(out)


def _judge(made: Prepared, folder: RunFolder, bars: Bars) -> None:
    """Judge all samples in the order of their ids, compare the arms, write what they gave, and the report."""
    recipe, arms, before = made.recipe, made.arms, folder.provenance()
    runs = {run: arms.run(run, folder, bars) for run in recipe.runners}
    bars.say("comparing the arms")
    baselines, levels = recipe.run_baselines, recipe.levels
    pairs = [*baselines.items(), *claimed_pairs(recipe.claims, levels, recipe.baselines)]
    controls = arms.controls(runs, pairs, folder.batch)
    compared = write_tables(folder, runs, baselines, controls, recipe.delta, made.units, levels.of)
    every = {arm: levels.units(arm) for arm in recipe.arms}
    results = Results(runs, every, controls, recipe.baselines, levels.of, recipe.delta)
    compared["claims"] = decide_claims(recipe.claims, results, before.get(CLAIMS, {}))
    compared["noise_floor"] = floors(runs, made.device, recipe.splits, arms.features, bars.say)
    seconds = seconds_of(folder.path, runs)
    whole = {"run": folder.recipe["run"], "started": before["started"], "finished": now(), "seconds": seconds}
    kept = {CLAIMS: before.get(CLAIMS, {}), FIRST: before.get(FIRST, whole["finished"])}
    folder.save_json(PROVENANCE, {**made.origin, **kept, **whole})
    compared |= {"one_training": trained_once(recipe.levels, recipe.arms, recipe.runners), "left_out": left_out(runs)}
    folder.save_json(EVIDENCE, compared)  # last: with it the run is finished
    bars.say("drawing the report")
    write_report(folder.path)
    folder.record("finished")


def identity_of(
    recipe: Recipe, device: torch.device, memo: dict[int, bytes] | None = None
) -> dict[str, dict[str, str]]:
    """What would make the samples of a recipe on a device, beside its content; see `identity`."""
    parts = {run: parts_of(runner) for run, runner in recipe.runners.items()}
    return identity(parts, recipe.seeds, recipe.registry, device, recipe.start, recipe.prompts, memo)


def arms_of(recipe: Recipe, device: torch.device) -> Arms:
    """The runs of a recipe, on a device."""
    table, memo = recipe.content["run"], dict[int, Any]()
    return Arms(
        {run: runner.to_device(device, memo) for run, runner in recipe.runners.items()},
        table["samples"],
        recipe.seeds,
        {
            "classes": recipe.prompts or table.get("classes"),
            "device": device,
            "dtype": getattr(torch, table["dtype"]) if "dtype" in table else None,
            "start": recipe.start,
        },
    )


def _provenance(recipe: Recipe, parts: Mapping[str, Mapping[str, Any]], device: torch.device) -> dict[str, Any]:
    known = recipe.registry
    return {
        "recipe": recipe.name,
        "title": recipe.title,
        "time_map": TIME_MAP,
        "time_maps": {arm: found for arm, own in parts.items() if (found := time_maps(own["field"]))},
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


def _parts_in_short(runner: Runner) -> str:
    parts = (runner.field, runner.solver, runner.schedule)
    return ", ".join(brief(part) for part in parts if part is not None)
