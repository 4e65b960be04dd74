"""What the arms of an experiment say together, as `evidence.json` holds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from kinetic import evidence
from kinetic._evaluate.views import CONTROL, DENOISED, PLAIN
from kinetic._roles.metric import Score
from kinetic._sample.columns import NORMS
from kinetic._sample.run import Run
from kinetic.errors import within
from kinetic.evidence import Estimate

Array = NDArray[Any]
Controls = Mapping[str, Mapping[str, Score]]
"""`{arm: {metric: Score}}`, of the arm it is compared with, after the step that denoised this one."""


def compare(runs: Mapping[str, Run], baselines: Mapping[str, str], controls: Controls) -> dict[str, Any]:
    """What the arms say together.

    Args:
        runs: `{arm: Run}`.
        baselines: `{arm: arm}`, what each arm is compared with.
        controls: of each arm in which noise was left, its baseline after the same step.
    Returns:
        columns: what each column and value means, `{metric: {name: {says, kind, unit, better, ...}}}`, those of the
            meters, the solver and the Runner under `energy`.
        differences: of every per-sample column and set score, arm minus baseline, paired by sample id, with the view
            of the samples they are of; bootstrap intervals, or the jackknife's for set scores with replicates.
        correlations: for each arm, Spearman's rho of each energy with each per-sample score and view, raw, and partial
            with the norms held fixed; `shown` where the report shows it.
        groups: for each arm, the mean score of the fifth of the samples with the lowest and the highest energy.
        shares: for each arm and each energy that is a sum, what share of its variance each term carries.
        expected_false: for each arm, how many of its correlation intervals that are shown would miss 0 by chance.
        notes: for each arm and metric, what a reader of its values must know.
    """
    found: dict[str, Any] = {
        "columns": _meanings(runs),
        "differences": [row for arm, base in baselines.items() for row in _differences(arm, base, runs, controls)],
    }
    within_arm = {arm: _within_arm(arm, run) for arm, run in runs.items()}
    for key in ("correlations", "groups", "shares", "expected_false"):
        found[key] = {arm: rows[key] for arm, rows in within_arm.items()}
    return found | {"notes": {arm: _notes(run) for arm, run in runs.items()}}


def _meanings(runs: Mapping[str, Run]) -> dict[str, dict[str, dict[str, Any]]]:
    meanings: dict[str, dict[str, dict[str, Any]]] = {"energy": {}}
    for run in runs.values():
        curves = {name for name, column in run.energy.items() if column.dim() > 1}
        parts = {"energy": run.described, **{metric: score.described for metric, score in run.details.items()}}
        for metric, described in parts.items():
            known = meanings.setdefault(metric, {})
            for name, column in described.items():
                curve = metric == "energy" and name in curves
                known.setdefault(name, attrs.asdict(column) | {"value": column.value, "curve": curve})
    return meanings


@attrs.frozen(eq=False)
class _Pair:
    """One view of an arm and of its baseline, and which samples both have."""

    view: str
    one: Mapping[str, Score]
    other: Mapping[str, Score]


def _differences(arm: str, base: str, runs: Mapping[str, Run], controls: Controls) -> Iterator[dict[str, Any]]:
    one, other = runs[arm], runs[base]
    keep = (one.reached & other.reached).numpy()  # both ends of a pair, or neither
    if not keep.any():
        return
    head = {"arm": arm, "against": base}
    theirs = energies(other, keep)
    for name, column in energies(one, keep).items():
        if name in theirs:
            with within(f"arms {arm!r} and {base!r}: column {name!r}"):
                difference = evidence.paired_difference(column, theirs[name])
            yield {**head, "metric": "energy", "name": name, "view": PLAIN, **difference.to_json()}
    pairs = list(_views(one, other, controls.get(arm, {})))
    for metric in one.details:
        for pair in pairs:
            if metric in pair.one and metric in pair.other:
                with within(f"arms {arm!r} and {base!r}: metric {metric!r}, {pair.view}"):
                    for name, difference in _of_scores(pair.one[metric], pair.other[metric], keep):
                        yield {**head, "metric": metric, "name": name, "view": pair.view, **difference.to_json()}


def _views(one: Run, other: Run, control: Mapping[str, Score]) -> Iterator[_Pair]:
    yield _Pair(PLAIN, one.details, other.details)
    if DENOISED in one.views or DENOISED in other.views:
        denoised = [run.views.get(DENOISED, run.details) for run in (one, other)]
        yield _Pair(DENOISED, *denoised)
        if control:
            yield _Pair(CONTROL, denoised[0], control)


def _of_scores(mine: Score, theirs: Score, keep: Array) -> Iterator[tuple[str, Estimate]]:
    others = _averaged(theirs)
    whole = {name for name in mine.values if _over_both(mine.values[name]) and _over_both(theirs.values.get(name))}
    for name, column in _averaged(mine).items():
        if name in others and mine.described[name].value not in whole:
            pair = column[keep], others[name][keep]
            if np.isfinite(pair).all():
                yield name, evidence.paired_difference(*pair)
    for name, estimate in mine.values.items():
        its = theirs.values.get(name)
        if its is not None and evidence.comparable(estimate, its):  # other spaces and data sets may have other groups
            yield name, evidence.jackknife_difference(estimate, its)


def _over_both(estimate: Estimate | None) -> bool:
    """Whether its interval can be over draws of the samples and of the reference."""
    return estimate is not None and estimate.leave_out is not None and estimate.leave_out_reference is not None


def _within_arm(arm: str, run: Run) -> dict[str, Any]:
    keep = run.reached.numpy()
    if not keep.any():
        return {"correlations": [], "groups": [], "shares": {}, "expected_false": 0.0}
    own = energies(run, keep)
    scores = {(view, metric, name): column for view, metric, name, column in _numbers(run, keep)}
    norms = {name: run.energy[name].numpy()[keep] for name in NORMS}
    norms = norms if all(np.isfinite(column).all() for column in norms.values()) else {}
    keys = {" ".join(key): key for key in scores}
    with within(f"arm {arm!r}"):
        table = {**norms, **own, **{name: scores[key] for name, key in keys.items()}}
        rows = evidence.spearman(table, list(own), list(keys), list(norms)) if own and keys else []
        groups = {(energy, key): evidence.quantile_groups(own[energy], table[key]) for energy in own for key in keys}

    def head(energy: str, key: str) -> dict[str, Any]:
        view, metric, name = keys[key]
        is_score = run.details[metric].described[name].kind == "score"
        shown = view == PLAIN and run.described[energy].main and is_score
        return {"energy": energy, "metric": metric, "score": name, "view": view, "shown": shown}

    correlations = [
        {**head(row.energy, row.score), "n": row.n, "raw": _json(row.raw), "partial": _json(row.partial)}
        for row in rows
    ]
    shown = [row for row, as_json in zip(rows, correlations, strict=True) if as_json["shown"]]
    return {
        "correlations": correlations,
        "groups": [
            {**head(*key), "low": low.to_json(), "high": high.to_json(), "difference": difference.to_json()}
            for key, (low, high, difference) in groups.items()
        ],
        "shares": _shares(run, keep),
        "expected_false": evidence.expected_false(shown),
    }


def _shares(run: Run, keep: Array) -> dict[str, dict[str, float]]:
    shares = {}
    for name, weights in run.terms.items():
        there = all(term in run.energy for term in weights) and name in run.energy
        columns = {term: run.energy[term].numpy()[keep] for term in (name, *weights)} if there else {}
        if there and all(np.isfinite(column).all() for column in columns.values()):
            terms = {term: weight * columns[term] for term, weight in weights.items()}
            shares[name] = evidence.variance_shares(columns[name], terms)
    return shares


def _notes(run: Run) -> dict[str, list[str]]:
    notes = {"energy": list(run.notes)}
    for metric, score in run.details.items():
        again = run.views.get(DENOISED, {}).get(metric)
        more = [] if again is None else [f"Denoised: {note}" for note in again.notes if note not in score.notes]
        notes[metric] = [*score.notes, *more]
    return {name: said for name, said in notes.items() if said}


def energies(run: Run, keep: Array) -> dict[str, Array]:
    """The energies of the samples that `keep` chooses, without norms, curves and columns that are not finite."""
    columns = {
        name: column.numpy()[keep]
        for name, column in run.energy.items()
        if column.dim() == 1 and run.described[name].kind == "energy" and name not in NORMS
    }
    return {name: column for name, column in columns.items() if np.isfinite(column).all()}


def _numbers(run: Run, keep: Array) -> Iterator[tuple[str, str, str, Array]]:
    """View, metric, name and the column of every score of single samples that is a finite number."""
    for view, scores in run.views.items():
        for metric, score in scores.items():
            for name, column in score.columns.items():
                values = column.double().numpy()[keep]
                if column.is_floating_point() and np.isfinite(values).all():
                    yield view, metric, name, values


def _averaged(score: Score) -> dict[str, Array]:
    """Columns that can be averaged: numbers, and yes and no; no indices."""
    return {name: column.double().numpy() for name, column in score.columns.items() if _has_mean(score, name, column)}


def _has_mean(score: Score, name: str, column: Tensor) -> bool:
    number = column.is_floating_point() or str(column.dtype) == "torch.bool"
    return number and score.described[name].kind != "index"


def _json(estimate: Estimate | None) -> Any:
    return None if estimate is None else estimate.to_json()
