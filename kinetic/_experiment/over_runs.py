"""What several runs of every arm say together: each number averaged over them, with Student's interval."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kinetic import evidence
from kinetic._experiment.between_arms import Difference
from kinetic._experiment.levels import Units
from kinetic.evidence import Estimate

Json = Mapping[str, Any]


def differences_over_runs(units: Sequence[Sequence[Sequence[Difference]]], of: str) -> Iterator[Difference]:
    """The differences that every run has, over the runs.

    Args:
        units: the differences of each pair of runs, training by training, and within each seed by seed.
        of: what the units are.
    """
    tables = [[{(d.metric, d.name): d for d in run} for run in unit] for unit in units]
    first, *others = [table for unit in tables for table in unit]
    for key, one in first.items():
        if not all(key in table for table in others):
            continue
        unit_values = {
            view: [_mean([table[key].views[view].value for table in unit]) for unit in tables]
            for view in one.views
            if all(view in table[key].views for table in others)
        }
        views = {view: known for view, values in unit_values.items() if (known := _over(values)) is not None}
        if one.views.keys() == views.keys():
            scale = _mean([table[key].scale for table in (first, *others)])
            yield Difference(one.metric, one.name, views, scale, len(units), of)


def estimate_over_runs(units: Sequence[Sequence[Estimate | None]]) -> Estimate | None:
    """A number of each run, over the runs, training by training; None where a run has none."""
    values = [_mean([math.nan if each is None else each.value for each in unit]) for unit in units]
    return _over(values)


def scores_over_runs(units: Units, scores: Mapping[str, Mapping[str, Json]]) -> dict[str, dict[str, Any]]:
    """`{metric: {name: {value, low, high, of}}}` of the scores that every run of an arm has, `of` their values.

    Args:
        units: the runs of the arm.
        scores: `{run: {metric: {name: {value, ...}}}}`, as `scores.json` holds them.
    """
    first, *others = [scores[run] for unit in units for run in unit]
    found: dict[str, dict[str, Any]] = {}
    for metric, values in first.items():
        for name in values:
            if all((each.get(metric) or {}).get(name) for each in (first, *others)):
                of = [_mean([_number(scores[run][metric][name]["value"]) for run in unit]) for unit in units]
                known = _over(of)
                if known is not None:
                    found.setdefault(metric, {})[name] = {**known.to_json(), "of": of}
    return found


def correlations_over_runs(units: Units, rows: Mapping[str, Sequence[Json]]) -> list[dict[str, Any]]:
    """Spearman's rho of each pair of energy and score that every run of an arm has, raw and beyond the norms.

    Args:
        units: the runs of the arm.
        rows: `{run: rows}`, as of `within_arm`.
    """
    keys = ("energy", "metric", "score", "view")
    tables = {run: {tuple(row[key] for key in keys): row for row in rows[run]} for unit in units for run in unit}
    first, *others = tables.values()
    found = []
    for key, row in first.items():
        if all(key in table for table in others):
            values = {
                name: [_mean([_number((tables[run][key][name] or {}).get("value")) for run in unit]) for unit in units]
                for name in ("raw", "partial")
            }
            known = {name: _over(numbers) for name, numbers in values.items()}
            if known["raw"] is not None:
                estimates = {name: None if each is None else each.to_json() for name, each in known.items()}
                found.append({**dict(zip(keys, key, strict=True)), "shown": row["shown"], **estimates})
    return found


def _over(values: Sequence[float]) -> Estimate | None:
    return evidence.over_runs(values) if all(map(math.isfinite, values)) else None


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if all(map(math.isfinite, values)) else math.nan


def _number(value: float | None) -> float:
    return math.nan if value is None else value
