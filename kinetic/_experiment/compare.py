"""What the arms of an experiment say together, as `evidence.json` holds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from kinetic._evaluate.views import DENOISED
from kinetic._experiment.between_arms import Controls, Difference, between_arms, side_by_side
from kinetic._experiment.levels import Units
from kinetic._experiment.over_runs import correlations_over_runs, differences_over_runs
from kinetic._experiment.within_arm import within_arm
from kinetic._sample.run import Run

DELTA = 0.05
"""The smallest difference that matters, where a recipe does not say: in standard deviations over samples."""


def compare(
    runs: Mapping[str, Run],
    baselines: Mapping[str, str],
    controls: Controls,
    delta: float = DELTA,
    units: Mapping[str, Units] | None = None,
    of: str = "",
) -> dict[str, Any]:
    """What the arms say together.

    Args:
        runs: `{run: Run}`, by the name of the arm where it is run once.
        baselines: `{run: run}`, what each is compared with.
        controls: of each arm in which noise was left, its baseline after the same step; where noise was left in the
            baseline alone, the arm after its baseline's.
        delta: the smallest difference that matters: of a column, in standard deviations of the baseline's over samples;
            of a score of the set, as a share of the baseline's.
        units: the runs of each arm that is run several times.
        of: what these are, trainings or seeds.
    Returns:
        columns: what each column and value means, `{metric: {name: {says, kind, unit, better, ...}}}`, those of the
            meters, the solver and the Runner under `energy`.
        differences: of every per-sample column and set score, arm minus baseline, paired by sample id, with the view
            of the samples they are of and its interval; first of each arm over its runs, where it has several.
        verdicts: of each such number, what its views say together, and what would decide where they do not.
        side_by_side: values that no difference is made of, and why: unlike options, data, protocols; no replicates.
        correlations: for each arm, Spearman's rho of each energy with each per-sample score and view; `shown` or not.
        groups: for each arm, the mean score of the fifth of the samples with the lowest and the highest energy.
        shares: for each arm and each energy that is a sum, what share of its variance each term carries.
        multiplicity: for each arm, how many of the intervals that are shown would miss 0 by chance: shown, mean and the
            range of 5 to 95% under permutation.
        notes: for each arm and metric, what a reader of its values must know.
        protocols: for each arm and metric that looks in a feature space, what another score must share to be compared.
        over_runs: of arms that are run several times, `of` what, which `runs`, and `correlations` over them.
    """
    pairs = {(arm, base): between_arms(arm, base, runs, controls.get(arm, {})) for arm, base in baselines.items()}
    found = {**_over_runs(pairs, baselines, units or {}, of), **pairs}
    inside = {arm: within_arm(arm, run) for arm, run in runs.items()}
    return {
        "columns": meanings(runs),
        "delta": delta,
        "differences": [row for pair, each in found.items() for one in each for row in one.rows(*pair)],
        "verdicts": [one.verdict(*pair, delta) for pair, each in found.items() for one in each],
        "side_by_side": [row for pair, known in pairs.items() for row in side_by_side(*pair, runs, known)],
        **{key: {arm: rows[key] for arm, rows in inside.items()} for key in ("correlations", "groups", "shares")},
        "multiplicity": {arm: rows["multiplicity"] for arm, rows in inside.items()},
        "protocols": {arm: _protocols(run) for arm, run in runs.items()},
        "notes": {arm: _notes(run) for arm, run in runs.items()},
        "over_runs": _units(units, of, inside) if units else {},
    }


def _units(units: Mapping[str, Units], of: str, inside: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    rows = {run: own["correlations"] for run, own in inside.items()}
    return {
        "of": of,
        "runs": {arm: [list(unit) for unit in own] for arm, own in units.items()},
        "correlations": {arm: correlations_over_runs(own, rows) for arm, own in units.items()},
    }


def _over_runs(
    pairs: Mapping[tuple[str, str], list[Difference]], baselines: Mapping[str, str], units: Mapping[str, Units], of: str
) -> dict[tuple[str, str], list[Difference]]:
    """The differences of arms over their runs, `{(arm, baseline): differences}`."""
    arms = {run: arm for arm, own in units.items() for unit in own for run in unit}
    return {
        (arm, arms[baselines[own[0][0]]]): list(
            differences_over_runs([[pairs[run, baselines[run]] for run in unit] for unit in own], of)
        )
        for arm, own in units.items()
        if own[0][0] in baselines
    }


def meanings(runs: Mapping[str, Run]) -> dict[str, dict[str, dict[str, Any]]]:
    """What each column and value of the runs means; see `compare`."""
    known_of: dict[str, dict[str, dict[str, Any]]] = {"energy": {}}
    for run in runs.values():
        curves = {name for name, column in run.energy.items() if column.dim() > 1}
        parts = {"energy": run.described, **{metric: score.described for metric, score in run.details.items()}}
        for metric, described in parts.items():
            known = known_of.setdefault(metric, {})
            for name, column in described.items():
                curve = metric == "energy" and name in curves
                known.setdefault(name, attrs.asdict(column) | {"value": column.value, "curve": curve})
    return known_of


def _protocols(run: Run) -> dict[str, dict[str, Any]]:
    return {metric: dict(score.protocol) for metric, score in run.details.items() if score.protocol}


def _notes(run: Run) -> dict[str, list[str]]:
    notes = {"energy": list(run.notes)}
    for metric, score in run.details.items():
        again = run.views.get(DENOISED, {}).get(metric)
        more = [] if again is None else [f"Denoised: {note}" for note in again.notes if note not in score.notes]
        notes[metric] = [*score.notes, *more]
    return {name: said for name, said in notes.items() if said}
