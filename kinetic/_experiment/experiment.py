"""A recipe carried out: every arm run, the arms held against each other, the run folder written."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

import attrs
import numpy as np
import pyarrow as pa
import torch

from kinetic import evidence
from kinetic._experiment.score_samples import not_finite
from kinetic._plugins.registry import Registry
from kinetic._progress import Reporter
from kinetic._report import write_report
from kinetic._roles.metric import Score
from kinetic._sample.run import NOT_ENERGY, Run
from kinetic._sample.runner import Runner, find_device
from kinetic._store.provenance import TIME_MAP, environment, now, options_of, parts_of, weight_hashes
from kinetic._store.run_folder import EVIDENCE, PROVENANCE, SCORES, FinishedRun, RunFolder, load_run
from kinetic.errors import KineticError, NonFiniteError
from kinetic.evidence import Estimate

NORMS = ("x0_sq", "x0_dot_x1", "x1_sq")
"""The parts of the displacement; what the partial correlations hold fixed."""

NEIGHBOURS = 12
"""How many of the most copy-like samples of an arm are kept beside their nearest training point."""


@final
@attrs.frozen(eq=False)
class Recipe:
    """A checked recipe: every arm is built, so nothing in it can still be misspelt or missing.

    Args:
        name: of the file, without `.toml`; the run folder is named after it.
        content: the recipe with its overrides applied, as TOML would hold it.
        runners: `{arm: Runner}`, in the order of the recipe.
        against: `{arm: arm}`, what each arm is compared with.
    """

    name: str
    content: Mapping[str, Any]
    runners: Mapping[str, Runner]
    against: Mapping[str, str]
    registry: Registry

    @property
    def title(self) -> str:
        """What a reader calls it."""
        title: str = self.content.get("title", self.name)
        return title

    def run(self, out: str | Path | None = None, device: str = "auto", reporter: Reporter | None = None) -> FinishedRun:
        """Run every arm, compare them, and write the run folder with its report.

        A run that was cut short goes on where it stopped; one that is finished is only scored and drawn again.

        Args:
            out: the run folder, `runs/NAME` by default.
            device: a torch device, or "auto".
            reporter: is told how far the run is; by default it shows a progress bar on a terminal.
        """
        return run_experiment(self, Path(out) if out else Path("runs") / self.name, device, reporter or Reporter())


def run_experiment(recipe: Recipe, out: Path, device: str, reporter: Reporter) -> FinishedRun:
    """Run, compare, write; see `Recipe.run`."""
    place = find_device(device)
    table = recipe.content["run"]
    weights = weight_hashes(recipe.runners)
    folder = RunFolder.open(out, recipe.content, weights)
    before = folder.provenance()
    provenance: dict[str, Any] = {
        "recipe": recipe.name,
        "title": recipe.title,
        "time_map": TIME_MAP,
        "started": before.get("started", now()),
        "run": dict(table),
        "against": dict(recipe.against),
        "arms": {
            arm: {name: options_of(part, recipe.registry) for name, part in parts_of(runner).items()}
            for arm, runner in recipe.runners.items()
        },
        "weights": weights,
        **environment(place),
        "plugins": [f"{plugin.name} ({plugin.distribution} {plugin.version})" for plugin in recipe.registry.plugins],
    }
    folder.save_json(PROVENANCE, {**provenance, "seconds": before.get("seconds", {})})
    runs: dict[str, Run] = {}
    seconds: dict[str, float] = before.get("seconds", {})
    with reporter.running() as bars:
        for arm, runner in recipe.runners.items():
            with _naming(arm):
                runner.dry_run(table.get("seed", 0), place, classes=table.get("classes"))
        for arm, runner in recipe.runners.items():
            began = time.perf_counter()
            with _naming(arm):
                runs[arm] = runner.run(
                    table["samples"],
                    seed=table.get("seed", 0),
                    batch=table.get("batch"),
                    device=place,
                    classes=table.get("classes"),
                    store=folder.store(arm),
                    progress=bars.arm(arm, table["samples"]),
                )
            if arm not in seconds:  # an arm that was finished before only reads its samples back
                seconds[arm] = round(time.perf_counter() - began, 3)
        bars.say("comparing the arms")
        folder.save_table(joined_table(runs))
        folder.save_json(SCORES, {arm: _scores(run) for arm, run in runs.items()})
        folder.save_json(EVIDENCE, compare(runs, recipe.against))
        for arm, run in runs.items():
            _keep_neighbours(folder, arm, run)
        folder.save_json(PROVENANCE, {**provenance, "finished": now(), "seconds": seconds})
        bars.say("drawing the report")
        write_report(out)
    return load_run(out)


@contextmanager
def _naming(arm: str) -> Iterator[None]:
    """Errors of a run name the arm."""
    try:
        yield
    except NonFiniteError as error:
        raise NonFiniteError(error.ids, error.t, arm) from error
    except KineticError as error:
        error.args = (f"arm {arm!r}: {error.args[0]}", *error.args[1:])
        raise


def joined_table(runs: Mapping[str, Run]) -> pa.Table:
    """The rows of all arms, with a first column `arm`; a column an arm does not have is null there."""
    tables = []
    for arm, run in runs.items():
        rows = run.table
        tables.append(rows.add_column(0, "arm", pa.array([arm] * len(rows))))
    return pa.concat_tables(tables, promote_options="default")


def compare(runs: Mapping[str, Run], against: Mapping[str, str]) -> dict[str, Any]:
    """What the arms say together, as `evidence.json` holds it.

    Returns:
        differences: of every per-sample column, arm minus the arm it is held `against`, paired by sample id, with
            bootstrap intervals; and of every set score that has leave-out replicates, with jackknife intervals.
        correlations: for each arm, Spearman's rho of each energy column against each per-sample score, raw, and
            partial with `NORMS` held fixed.
        groups: for each arm, the mean score of the fifth of the samples with the lowest and the highest energy.
        shares: for each arm, what share of the variance of the KPE each of its terms carries.
        expected_false: for each arm, how many of its correlation intervals would miss 0 by chance.
        notes: for each arm and metric, what a reader of its values must know.
    """
    found: dict[str, Any] = {
        "differences": [row for arm, base in against.items() for row in _differences(arm, base, runs)],
        "correlations": {},
        "groups": {},
        "shares": {},
        "expected_false": {},
        "notes": {
            arm: {name: list(notes) for name, notes in _notes(run).items() if notes} for arm, run in runs.items()
        },
    }
    for arm, run in runs.items():
        keep = run.reached.numpy()
        energies, scores = _energy_columns(run, keep), _score_columns(run, keep)
        if not keep.any():
            found["correlations"][arm], found["groups"][arm], found["expected_false"][arm] = [], [], 0.0
            continue
        norms = {name: run.energy[name].numpy()[keep] for name in NORMS}
        rows = evidence.spearman({**norms, **energies, **scores}, list(energies), list(scores), list(NORMS))
        found["correlations"][arm] = [
            {"energy": r.energy, "score": r.score, "n": r.n, "raw": _json(r.raw), "partial": _json(r.partial)}
            for r in rows
        ]
        found["expected_false"][arm] = evidence.expected_false(rows)
        found["groups"][arm] = [
            {"energy": e, "score": s, "low": _json(low), "high": _json(high), "difference": _json(difference)}
            for e in energies
            for s in scores
            for low, high, difference in [evidence.quantile_groups(energies[e], scores[s])]
        ]
        if {"kpe", "bending"} <= energies.keys():
            found["shares"][arm] = evidence.variance_shares(
                energies["kpe"], norms["x0_sq"], norms["x0_dot_x1"], norms["x1_sq"], energies["bending"]
            )
    return found


def _differences(arm: str, base: str, runs: Mapping[str, Run]) -> list[dict[str, Any]]:
    rows = []
    one, other = runs[arm], runs[base]
    keep = (one.reached & other.reached).numpy()  # both ends of a pair, or neither
    if not keep.any():
        return []
    for name, column in _energy_columns(one, keep).items():
        if name in other.energy:
            rows.append(("energy", name, evidence.paired_difference(column, other.energy[name].numpy()[keep])))
    for metric in one.details.keys() & other.details.keys():
        mine, theirs = one.details[metric], other.details[metric]
        for name, column in _comparable(mine).items():
            if name in theirs.columns:
                twin = theirs.columns[name].double().numpy()[keep]
                rows.append((metric, name, evidence.paired_difference(column[keep], twin)))
        for name, estimate in mine.values.items():
            its = theirs.values.get(name)
            if its is None or estimate.leave_out is None or its.leave_out is None:
                continue
            if len(its.leave_out) == len(estimate.leave_out):  # spaces of other widths may have other groups
                rows.append((metric, name, evidence.jackknife_difference(estimate, its)))
    order = {metric: place for place, metric in enumerate(["energy", *one.details])}
    rows.sort(key=lambda row: order[row[0]])
    return [{"arm": arm, "against": base, "metric": m, "name": n, **_json(e)} for m, n, e in rows]


def _notes(run: Run) -> dict[str, tuple[str, ...]]:
    return {"energy": run.notes} | {
        name: (*score.notes, *not_finite(name, score.values)) for name, score in run.details.items()
    }


def _energy_columns(run: Run, keep: np.ndarray) -> dict[str, np.ndarray]:
    return {n: c.numpy()[keep] for n, c in run.energy.items() if c.dim() == 1 and n not in (*NORMS, *NOT_ENERGY)}


def _comparable(score: Score) -> dict[str, np.ndarray]:
    """Columns that can be averaged: numbers and yes/no, no indices."""
    numbers = {name: c for name, c in score.columns.items() if c.is_floating_point() or c.dtype == torch.bool}
    return {name: column.double().numpy() for name, column in numbers.items()}


def _score_columns(run: Run, keep: np.ndarray) -> dict[str, np.ndarray]:
    return {
        f"{metric}.{name}": column.double().numpy()[keep]
        for metric, score in run.details.items()
        for name, column in score.columns.items()
        if column.is_floating_point()
    }


def _scores(run: Run) -> dict[str, dict[str, Any]]:
    keep = run.reached
    columns = {name: c[keep] for name, c in run.energy.items() if c.dim() == 1 and name != "status"}
    energy = {name: _json(evidence.mean(c.numpy()) if len(c) else None) for name, c in columns.items()}
    return {"energy": energy} | {
        metric: {name: _json(estimate) for name, estimate in score.values.items()}
        for metric, score in run.details.items()
    }


def _json(estimate: Estimate | None) -> Any:
    return None if estimate is None else estimate.to_json()


def _keep_neighbours(folder: RunFolder, arm: str, run: Run) -> None:
    for score in run.details.values():
        if score.nearest is not None and {"index", "ratio"} <= score.columns.keys():
            ids = torch.argsort(score.columns["ratio"], stable=True)[:NEIGHBOURS]
            points = [int(score.columns["index"][i]) for i in ids]
            nearest = torch.cat([score.nearest.read(point, point + 1) for point in points])
            folder.save_neighbours(arm, ids, run.samples[ids], nearest.cpu())
            return
