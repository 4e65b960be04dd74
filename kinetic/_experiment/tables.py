"""What the runs of a recipe gave, as the files of its folder hold it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import torch

from kinetic import evidence
from kinetic._experiment.between_arms import Scores
from kinetic._experiment.compare import compare
from kinetic._experiment.levels import Units
from kinetic._experiment.over_runs import scores_over_runs
from kinetic._experiment.within_arm import classes
from kinetic._sample.columns import UNTIL
from kinetic._sample.run import Run, estimates
from kinetic._store.layout import SCORES
from kinetic._store.run_folder import RunFolder

NEIGHBOURS = 12
"""How many of the most copy-like samples of an arm are kept beside their nearest training point."""


def write_tables(
    folder: RunFolder,
    runs: Mapping[str, Run],
    baselines: Mapping[str, str],
    controls: Mapping[tuple[str, str], Scores],
    delta: float,
    units: Mapping[str, Units],
    of: str,
) -> dict[str, Any]:
    """Write the table of samples, the scores, and what the report shows of training data.

    Args:
        folder: where.
        runs: `{run: Run}`.
        baselines, delta, units, of: as of `compare`.
        controls: of each pair of runs; see `Arms.controls`.
    Returns:
        The evidence.
    """
    folder.save_table([*tables_of(runs)])  # columns are those of the runs, not copies
    scores = {run: scores_of(each) for run, each in runs.items()}
    folder.save_json(SCORES, scores)
    own = {run: controls[run, base] for run, base in baselines.items() if (run, base) in controls}
    compared = compare(runs, baselines, own, delta, units, of)
    if units:
        compared["over_runs"]["scores"] = {arm: scores_over_runs(own, scores) for arm, own in units.items()}
    for run, each in runs.items():
        _keep_neighbours(folder, run, each)
    return compared


def tables_of(runs: Mapping[str, Run]) -> Iterator[pa.Table]:
    """The rows of each arm, with a first column `arm`."""
    for arm, run in runs.items():
        rows = run.table
        yield rows.add_column(0, "arm", pa.array([arm] * len(rows)))


def scores_of(run: Run) -> dict[str, dict[str, Any]]:
    """Means of the energies over the samples that reached t = 1, and what the metrics say, as `scores.json` has it."""
    keep = run.reached
    columns = {name: c[keep] for name, c in run.energy.items() if c.dim() == 1 and name not in ("status", UNTIL)}
    strata = classes(run, keep.numpy())
    means = {
        name: evidence.mean(column.numpy(), strata) if len(column) and bool(column.isfinite().all()) else None
        for name, column in columns.items()
    }
    return {"energy": {name: None if mean is None else mean.to_json() for name, mean in means.items()}} | {
        metric: {name: estimate.to_json() for name, estimate in values.items()}
        for metric, values in estimates(run.views).items()
    }


def left_out(runs: Mapping[str, Run]) -> dict[str, dict[str, float]]:
    """`{arm: {sample: t}}`, whose velocity was not finite, and up to which time their path was."""
    out = {}
    for arm, run in runs.items():
        ids = (~run.finite).nonzero().flatten().tolist()
        if ids:
            out[arm] = {str(i): float(run.energy[UNTIL][i]) for i in ids}
    return out


def _keep_neighbours(folder: RunFolder, arm: str, run: Run) -> None:
    """Of the first metric that points into a data set, the samples it thinks worst of beside the points."""
    for metric, score in run.details.items():
        columns = [column for column in score.described.values() if column.name in score.columns]
        ranks = next((c for c in columns if c.kind == "score"), None)
        index = next((c for c in columns if c.kind == "index"), None)
        if score.nearest is not None and ranks is not None and index is not None:
            values = score.columns[ranks.name].double()
            rows = torch.argsort(-values if ranks.better == "lower" else values, stable=True)[:NEIGHBOURS]
            ids, points = rows if score.ids is None else score.ids[rows], score.columns[index.name][rows]
            nearest = torch.cat([score.nearest.read(point, point + 1) for point in points.tolist()])
            kept = {"ids": ids, "samples": run.samples[ids], "nearest": nearest.cpu(), "points": points}
            folder.save_neighbours(arm, {**kept, "values": values[rows]}, f"{metric}.{ranks.name}")
            return
