"""What the tables of the report say; the page and the terminal print these."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs

from kinetic._report.numbers import format_aligned
from kinetic._store.run_folder import FinishedRun

_ENERGIES = ("kpe", "displacement", "bending", "early", "late", "gain", "noise_left")
_WALKED = ("nfe", "accepted", "rejected", "kpe_error", "bending_error", "x1_error")
_INDICES = re.compile(r"(^|\.)index")
_MEANT = {
    "gain": "gain is the mean gain I of the schedule.",
    "noise_left": "noise_left is what one more Euler step would still change, as a root mean square per element.",
    "f_mem": "f_mem is the share of copies (d1/d2 below the threshold), distance the mean one to the nearest training "
    "point.",
    "f_mem_features": "'features' looks in a second space.",
    "fd": "Lower is closer to the reference data.",
}
GUARD = "one more Euler step that takes leftover noise off"


@attrs.frozen
class Table:
    """A table: a title, what it means in a sentence or two, the head, the rows; marks say how a row is to be read."""

    title: str
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marks: tuple[str, ...] = ()


def energies(run: FinishedRun) -> list[Table]:
    """The energies, an arm a row, and how the paths were walked where a solver says."""
    tables = []
    names = _there(run, _ENERGIES)
    if names:
        caption = "Means over samples with 95% intervals, in squared data units."
        if {"displacement", "bending", "early", "late"} <= {*names}:
            caption += " KPE = displacement + bending = early + late."
        tables.append(_by_arm(run, "Energy", caption, "energy", names))
    if "kpe_error" in _there(run, _WALKED):
        caption = (
            "Means over samples with 95% intervals: velocities asked for, steps, the estimated errors of the KPE "
            "and of bending (squared data units) and of x1 (root mean square per element)."
        )
        tables.append(_by_arm(run, "Path", caption, "energy", _there(run, _WALKED)))
    return tables


def scores(run: FinishedRun) -> list[Table]:
    """A table for each metric, an arm a row."""
    names: dict[str, dict[str, None]] = {}
    for arm in run.arms:
        for metric, values in run.scores[arm].items():
            names.setdefault(metric, {}).update(dict.fromkeys(values))
    return [_by_arm(run, metric, "", metric, [*found]) for metric, found in names.items() if metric != "energy"]


def _there(run: FinishedRun, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if any(name in run.scores[arm]["energy"] for arm in run.arms)]


def _by_arm(run: FinishedRun, title: str, caption: str, metric: str, names: list[str]) -> Table:
    columns = [format_aligned([run.scores[arm].get(metric, {}).get(name) for arm in run.arms]) for name in names]
    said = [caption] if caption else []
    said += [words for name, words in _MEANT.items() if name in names]
    if any(name.endswith("_denoised") for name in names):
        said.append(f"'denoised' is the guard: the same after {GUARD}.")
    return Table(title, " ".join(said), ("arm", *names), tuple(zip(run.arms, *columns, strict=True)))


def excludes_zero(estimate: Mapping[str, Any] | None) -> bool:
    """Whether the interval excludes 0."""
    if estimate is None or estimate.get("low") is None:
        return False
    return bool(estimate["low"] > 0 or estimate["high"] < 0)


def is_index(name: str) -> bool:
    """Whether a column counts data points: it has no mean worth showing."""
    return _INDICES.search(name) is not None


def judged(run: FinishedRun) -> list[str]:
    """The per-sample scores worth a correlation, in order: those of the samples as they are first."""
    names = dict.fromkeys(row["score"] for rows in run.evidence["correlations"].values() for row in rows)
    return [name for name in names if not name.endswith("_denoised") and not is_index(name)]


def headline(run: FinishedRun) -> list[str]:
    """One score of each metric: what a picture or a short table shows."""
    chosen: dict[str, str] = {}
    for name in judged(run):
        metric = name.partition(".")[0]
        if metric not in chosen or name.endswith(".margin_mean"):
            chosen[metric] = name
    return list(chosen.values())


def correlations(run: FinishedRun, arm: str) -> Table | None:
    """Spearman's rho of KPE and bending with scores in one arm, raw and partial."""
    shown = {*judged(run)}
    rows, marks = [], []
    for row in run.evidence["correlations"].get(arm, []):
        if row["energy"] in ("kpe", "bending") and row["score"] in shown:
            rows.append((row["energy"], row["score"], *format_aligned((row["raw"], row["partial"]))))
            marks.append("clear" if excludes_zero(row["raw"]) and excludes_zero(row["partial"]) else "")
    if not rows:
        return None
    caption = (
        "Spearman's rho over the samples of the arm, raw and with ||x0||^2, <x0, x1> and ||x1||^2 held fixed. Bold: "
        "both intervals exclude 0."
    )
    return Table(
        f"Energy and outcome: {arm}", caption, ("energy", "score", "rho", "partial rho"), tuple(rows), tuple(marks)
    )


def groups(run: FinishedRun, arm: str) -> Table | None:
    """Mean score of the samples with the lowest and the highest energy."""
    shown = {*judged(run)}
    rows, marks = [], []
    for row in run.evidence["groups"].get(arm, []):
        if row["energy"] in ("kpe", "bending") and row["score"] in shown:
            rows.append((row["energy"], row["score"], *format_aligned((row["low"], row["high"], row["difference"]))))
            marks.append("clear" if excludes_zero(row["difference"]) else "")
    if not rows:
        return None
    caption = (
        "Mean score of the fifth of the samples with the lowest and the highest energy, as the paper splits them. "
        "Bold: the interval of the difference excludes 0."
    )
    head = ("energy", "score", "lowest fifth", "highest fifth", "high - low")
    return Table(f"Low and high energy: {arm}", caption, head, tuple(rows), tuple(marks))
