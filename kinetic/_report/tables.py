"""What the tables of the report say; the page and the terminal print these."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from kinetic._store import FinishedRun

_ENERGIES = ("kpe", "displacement", "bending", "early", "late", "gain", "noise_left")
_WALKED = ("nfe", "accepted", "rejected", "kpe_error", "bending_error", "x1_error")
_TESTED = ("kpe", "displacement", "bending", "late", "noise_left")
_INDICES = re.compile(r"(^|\.)index")


@attrs.frozen
class Table:
    """A table: a title, what it means in a sentence or two, the head, the rows; marks say how a row is to be read."""

    title: str
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marks: tuple[str, ...] = ()


def number(value: float | None, digits: int = 3) -> str:
    """A number in few digits, without exponents where it can be."""
    if value is None:
        return ""
    if value == 0:
        return "0"
    text = f"{value:.{digits}g}"
    return f"{float(text):g}" if abs(value) < 1e5 else text


def interval(estimate: Mapping[str, Any] | None) -> str:
    """`0.42 [0.40, 0.44]`, in the digits the interval deserves; `3.1e-5 [2.9e-5, 3.4e-5]` where all is small."""
    if estimate is None:
        return ""
    value, low, high = estimate["value"], estimate.get("low"), estimate.get("high")
    if low is None or high is None:
        return number(value, 4)
    size = max(abs(value), abs(low), abs(high))
    tens = math.floor(math.log10(size)) if 0 < size < 1e-3 else 0
    places = _places((high - low) / 10.0**tens, size / 10.0**tens)
    return "{} [{}, {}]".format(*(_scaled(one, places, tens) for one in (value, low, high)))


def _places(width: float, size: float) -> int:
    """Decimal places that show an interval of this width to two digits, at the most six."""
    if width <= 1e-9 * size:
        return 0 if size == int(size) else 3
    places = 1
    while width < 1 and places < 6:
        width, places = width * 10, places + 1
    return places if places > 1 or size < 100 else 0


def _scaled(value: float, places: int, tens: int) -> str:
    text = _signed(value / 10.0**tens, places)
    return text if not tens else "0" if float(text) == 0 else f"{text}e{tens}"


def _signed(value: float, places: int) -> str:
    text = f"{value:.{places}f}"
    return text.replace("-0." + "0" * places, "0." + "0" * places) if float(text) == 0 and places else text


def _per_arm(run: FinishedRun, title: str, caption: str, columns: tuple[str, ...]) -> list[Table]:
    found = [name for name in columns if any(name in run.scores[arm]["energy"] for arm in run.arms)]
    rows = [(arm, *(interval(run.scores[arm]["energy"].get(name)) for name in found)) for arm in run.arms]
    return [Table(title, caption, ("arm", *found), tuple(rows))] if found else []


def arms(run: FinishedRun) -> list[Table]:
    """A table of energies, one of how they were walked where a solver says, and those of scores, an arm a row."""
    tables = []
    caption = (
        "Means over samples with 95% intervals, in squared data units. KPE = displacement + bending = early + late. "
        "Gain is the mean gain I of the schedule; noise left is what one more Euler step would still change, as a root "
        "mean square per element."
    )
    tables += _per_arm(run, "Energy", caption, _ENERGIES)
    if any("kpe_error" in run.scores[arm]["energy"] for arm in run.arms):
        caption = (
            "Means over samples with 95% intervals: velocities asked for, steps, the estimated errors of the KPE "
            "and of bending (squared data units) and of x1 (root mean square per element)."
        )
        tables += _per_arm(run, "Path", caption, _WALKED)
    names = list(
        dict.fromkeys((m, n) for arm in run.arms for m, v in run.scores[arm].items() for n in v if m != "energy")
    )
    for title, chosen, caption in (
        (
            "Memorisation",
            [pair for pair in names if "f_mem" in pair[1] or "distance" in pair[1]],
            "Share of copies (d1/d2 below the threshold) and mean distance to the nearest training point. 'denoised' "
            "is the guard: the same after one more Euler step that takes leftover noise off. 'features' looks in a "
            "second space.",
        ),
        (
            "Fidelity and support",
            [pair for pair in names if "f_mem" not in pair[1] and "distance" not in pair[1]],
            "Scores of each arm with 95% intervals. Frechet distances: lower is closer to the reference data.",
        ),
    ):
        if chosen:
            body = [(arm, *(interval(run.scores[arm].get(m, {}).get(n)) for m, n in chosen)) for arm in run.arms]
            tables.append(Table(title, caption, ("arm", *(_label(m, n) for m, n in chosen)), tuple(body)))
    return tables


def differences_in_brief(run: FinishedRun) -> Table | None:
    """An arm a row: energies, shares of copies, set scores and one column of each other metric, guards beside them.

    The second column names the scores whose difference is leftover noise; see `_mark`.
    """
    kept = {name.partition(".")[2] for name in headline(run)} - {"ratio"} | {"memorised", "memorised_features", "fd"}
    columns: dict[str, str] = {}
    rows: dict[tuple[str, str], dict[str, str]] = {}
    noise: dict[tuple[str, str], list[str]] = {}
    for row in run.evidence["differences"]:
        plain = row["name"].removesuffix("_denoised")
        if plain not in (kept if row["metric"] != "energy" else ("kpe", "bending")):
            continue
        label = plain if row["metric"] == "energy" else _label(row["metric"], plain)
        guarded = row["name"] != plain
        columns[f"{label}, guard" if guarded else label] = ""
        arms = (row["arm"], row["against"])
        rows.setdefault(arms, {})[f"{label}, guard" if guarded else label] = interval(row)
        if _mark(row, _guard(row, run.evidence["differences"])) == "noise":
            noise.setdefault(arms, []).append(label)
    if not rows:
        return None
    order = sorted(columns, key=lambda name: (name not in ("kpe", "bending"), not name.startswith("f_mem")))
    paired = [name for column in order if not column.endswith(", guard") for name in (column, f"{column}, guard")]
    head = [name for name in paired if name in columns]
    said = {arms: ", ".join(names) for arms, names in noise.items()}
    body = [
        (" - ".join(arms), *([said.get(arms, "")] if said else []), *(cells.get(name, "") for name in head))
        for arms, cells in rows.items()
    ]
    caption = (
        "Arm minus the arm it is held against, same noise, paired by sample. 'guard' is the same after one more Euler "
        "step that takes leftover noise off: a difference that its guard does not share, or has with the other sign, "
        "is leftover noise. One interval in twenty leaves out 0 by chance."
    )
    return Table("Against the plain arm", caption, ("arms", *(["noise only"] if said else []), *head), tuple(body))


def differences(run: FinishedRun) -> Table | None:
    """Every arm against the arm it is held against, with the guard beside each score that has one."""
    found = run.evidence["differences"]
    rows, marks = [], []
    for row in found:
        if row["metric"] == "energy" and row["name"] not in _TESTED:
            continue
        if row["name"].endswith("_denoised") or _INDICES.search(row["name"]):
            continue
        guard = _guard(row, found)
        rows.append(
            (
                row["arm"],
                row["against"],
                _label(row["metric"], row["name"]) if row["metric"] != "energy" else row["name"],
                interval(row),
                interval(guard),
            )
        )
        marks.append(_mark(row, guard))
    if not rows:
        return None
    caption = (
        "Arm minus the arm it is held against, same noise, paired by sample. Bold: the interval leaves out 0; one in "
        "twenty does so by chance. 'guard' is the same difference after the denoising step. Marked as noise: the "
        "difference is there in x but not, or with the other sign, in the denoised samples: leftover noise explains it."
    )
    head = ("arm", "against", "what", "difference", "guard")
    return Table("Every difference", caption, head, tuple(rows), tuple(marks))


def _guard(row: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The same difference in the denoised samples, where there is one."""
    wanted = {**{key: row[key] for key in ("arm", "against", "metric")}, "name": f"{row['name']}_denoised"}
    return next((other for other in found if wanted.items() <= other.items()), None)


def _mark(row: Mapping[str, Any], guard: Mapping[str, Any] | None) -> str:
    if not clear(row):
        return ""
    if guard is not None and not (clear(guard) and (guard["value"] > 0) == (row["value"] > 0)):
        return "noise"
    return "clear"


def clear(estimate: Mapping[str, Any] | None) -> bool:
    """Whether the interval leaves out 0."""
    if estimate is None or estimate.get("low") is None:
        return False
    return estimate["low"] > 0 or estimate["high"] < 0


def judged(run: FinishedRun) -> list[str]:
    """The per-sample scores worth a correlation, in order: those of the samples as they are first."""
    names = dict.fromkeys(row["score"] for rows in run.evidence["correlations"].values() for row in rows)
    return [name for name in names if not name.endswith("_denoised") and not _INDICES.search(name)]


def headline(run: FinishedRun) -> list[str]:
    """One score of each metric: what a picture or a short table shows."""
    chosen: dict[str, str] = {}
    for name in judged(run):
        metric = name.partition(".")[0]
        if metric not in chosen or name.endswith(".margin_mean"):
            chosen[metric] = name
    return list(chosen.values())


def correlations(run: FinishedRun, arm: str, short: bool = False) -> Table | None:
    """Spearman's rho of KPE and bending with scores in one arm, raw and partial; `short` keeps one score a metric."""
    scores = headline(run) if short else judged(run)
    rows, marks = [], []
    for row in run.evidence["correlations"].get(arm, []):
        if row["energy"] in ("kpe", "bending") and row["score"] in scores:
            rows.append((row["energy"], row["score"], interval(row["raw"]), interval(row["partial"])))
            marks.append("clear" if clear(row["raw"]) and clear(row["partial"]) else "")
    if not rows:
        return None
    caption = (
        "Spearman's rho over the samples of the arm, raw and with ||x0||^2, <x0, x1> and ||x1||^2 held fixed. Bold: "
        "both intervals leave out 0."
    )
    return Table(
        f"Energy and outcome: {arm}", caption, ("energy", "score", "rho", "partial rho"), tuple(rows), tuple(marks)
    )


def groups(run: FinishedRun, arm: str) -> Table | None:
    """Mean score of the samples with the lowest and the highest energy."""
    rows, marks = [], []
    for row in run.evidence["groups"].get(arm, []):
        if row["energy"] in ("kpe", "bending") and row["score"] in judged(run):
            parts = (row["low"], row["high"], row["difference"])
            rows.append((row["energy"], row["score"], *map(interval, parts)))
            marks.append("clear" if clear(row["difference"]) else "")
    if not rows:
        return None
    caption = "Mean score of the fifth of the samples with the lowest and the highest energy, as the paper splits them."
    head = ("energy", "score", "lowest fifth", "highest fifth", "high - low")
    return Table(f"Low and high energy: {arm}", caption, head, tuple(rows), tuple(marks))


def _label(metric: str, name: str) -> str:
    if name.startswith("memorised"):  # the mean of this column is the share of copies
        return f"f_mem{name.removeprefix('memorised')}"
    return name if name.startswith((metric, "f_mem")) else f"{metric} {name}"
