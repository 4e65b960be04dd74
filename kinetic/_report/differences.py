"""What changes from arm to arm: in words, in brief, and in full."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from kinetic._evaluate.views import CONTROL, DENOISED, PLAIN
from kinetic._report import columns, over_runs
from kinetic._report.drawable import Drawable
from kinetic._report.numbers import format_aligned
from kinetic._report.tables import STEP, Table

_UNDECIDED = "undecided, for the noise that was left"
_KINDS = {
    "less": "lower",
    "more": "higher",
    "noise only": "leftover noise only",
    "undecided": _UNDECIDED,
    "no clear difference": "no clear difference",
}
_UNLIKE = "side by side, not subtracted"
_VIEWS = (PLAIN, DENOISED, CONTROL)

Row = Mapping[str, Any]


@attrs.frozen(eq=False)
class Difference:
    """One number of an arm minus that of the arm it is compared with, in each view that there is, and what it says."""

    arms: tuple[str, str]
    metric: str
    name: str
    label: str
    views: Mapping[str, Row]
    word: str
    because: str
    scale: float = 0.0

    @property
    def mark(self) -> str:
        """`clear`, `noise` (leftover noise only, or undecided for it) or nothing."""
        return {"less": "clear", "more": "clear", "no clear difference": ""}.get(self.word, "noise")


def verdict(run: Drawable, brief: bool = False) -> dict[str, dict[str, str]]:
    """What changed, pair of arms by pair of arms, as the evidence has it.

    Args:
        run: which.
        brief: only what changed, without numbers and reasons.
    Returns:
        `{"kts against plain": {"lower": "kpe -1.2 [-1.3, -1.1]; ...", ...}}`, with the keys lower, higher, leftover
        noise only, undecided, no clear difference and side by side as far as there is something to say.
    """
    told: dict[str, dict[str, list[str]]] = {}
    for each in main_differences(run):
        words = f"{each.label} {_numbers(each)}" if each.mark and not brief else each.label
        words += f": {each.because}" if each.because and not brief else ""
        told.setdefault(" against ".join(each.arms), {}).setdefault(_KINDS[each.word], []).append(words)
    for row in run.evidence["side_by_side"]:
        if row["arm"] in run.drawn and columns.meaning(run, row["metric"], row["name"])["main"]:
            mine, its = format_aligned([row["value"], row["baseline"]])
            words = _label(run, row["metric"], row["name"])
            words += "" if brief else f" {mine} beside {its} ({row['why']})"
            told.setdefault(f"{row['arm']} against {row['against']}", {}).setdefault(_UNLIKE, []).append(words)
    order = (*_KINDS.values(), _UNLIKE)
    between = ", " if brief else "; "
    return {arms: {kind: between.join(kinds[kind]) for kind in order if kind in kinds} for arms, kinds in told.items()}


def differences_in_brief(run: Drawable) -> Table | None:
    """A pair of arms a row: energies, yes and no, scores of sets and one column of each other metric, view by view."""
    by_label: dict[str, dict[str, Difference]] = {}
    undecided: dict[str, list[str]] = {}
    for each in main_differences(run):
        arms = " - ".join(each.arms)
        by_label.setdefault(each.label, {})[arms] = each
        undecided.setdefault(arms, []).extend([each.label] if each.word == "undecided" else [])
    if not undecided:
        return None
    head, body = ["arms"], [list(undecided)]
    if any(undecided.values()):
        head, body = [*head, _UNDECIDED], [*body, [", ".join(labels) for labels in undecided.values()]]
    for label, by_arms in by_label.items():
        views = [view for view in _VIEWS if any(view in each.views for each in by_arms.values())]
        rows = [by_arms[arms].views.get(view) if arms in by_arms else None for view in views for arms in undecided]
        cells = format_aligned(rows)
        for i, view in enumerate(views):
            head.append(label if view == PLAIN else f"{label}, {view}")
            body.append(cells[i * len(undecided) : (i + 1) * len(undecided)])
    caption = f"Arm minus the arm it is compared with, same noise, {_paired(run)}. {_told(run, main_differences(run))}"
    caption += "One interval in twenty excludes 0 by chance."
    return Table("Differences between arms", caption, tuple(head), tuple(zip(*body, strict=True)))


def differences(run: Drawable) -> Table | None:
    """Every arm against the arm it is compared with, each number beside its other views."""
    kept = [each for each in _all(run) if each.metric != "energy" or each.name in columns.energies(run, main=True)]
    if not kept:
        return None
    views = [view for view in _VIEWS if any(view in each.views for each in kept)]
    rows = [(*each.arms, each.label, *format_aligned([each.views.get(view) for view in views])) for each in kept]
    caption = (
        "Arm minus the arm it is compared with, same noise, paired by sample. Bold: the interval excludes 0; one in "
        f"twenty does so by chance. {_told(run, kept)}"
    )
    head = ("arm", "compared with", "what", "difference", *views[1:])
    return Table("Every difference", caption.strip(), head, tuple(rows), tuple(each.mark for each in kept))


def _paired(run: Drawable) -> str:
    return f"run by run; intervals over {over_runs.count(run)}, Student's t" if run.runs else "paired by sample"


def _all(run: Drawable) -> list[Difference]:
    views: dict[tuple[str, str, str, str], dict[str, Row]] = {}
    for row in run.evidence["differences"]:
        views.setdefault((row["arm"], row["against"], row["metric"], row["name"]), {})[row["view"]] = row
    keys = ("arm", "against", "metric", "name")
    words = {tuple(row[key] for key in keys): row for row in run.evidence["verdicts"]}
    return [
        Difference(
            key[:2],
            *key[2:],
            _label(run, *key[2:]),
            found,
            words[key]["word"],
            words[key]["because"],
            words[key].get("scale", 0.0),
        )
        for key, found in views.items()
        if PLAIN in found and found[PLAIN]["value"] is not None and key in words
    ]


def main_differences(run: Drawable) -> list[Difference]:
    """In order: energies; yes and no, or else the first number of each metric; scores of sets."""
    single, first = {*run.rows(run.drawn[0]).column_names}, columns.headline(run)
    there = [each for each in _all(run) if each.arms[0] in run.runs or not run.runs]
    main = [each for each in there if columns.meaning(run, each.metric, each.name)["main"]]
    answers = [each for each in main if each.metric != "energy" and _is_answer(run, each)]
    answering = {each.metric for each in answers}

    def shown(each: Difference) -> bool:
        if each.metric == "energy" or each in answers or f"{each.metric}.{each.name}" not in single:
            return True
        return (each.metric, each.name) in first and each.metric not in answering

    return sorted(filter(shown, main), key=lambda each: (each.metric != "energy", each not in answers))


def _is_answer(run: Drawable, each: Difference) -> bool:
    """Whether it is the share of a yes or no."""
    return bool(columns.meaning(run, each.metric, each.name)["kind"] == "label")


def _numbers(each: Difference) -> str:
    plain, *others = format_aligned([each.views.get(view) for view in _VIEWS])
    beside = [f"{view} {cell}" for view, cell in zip(_VIEWS[1:], others, strict=True) if cell and cell != plain]
    return f"{plain} ({', '.join(beside)})" if beside else plain


def _told(run: Drawable, shown: list[Difference]) -> str:
    if not any(DENOISED in each.views for each in shown):
        return ""
    return (
        f"'denoised' is the same after {STEP}; 'control' compares that with the other arm put back to the same noise "
        "and sent through the same step. Lower or higher is what both say; leftover noise only, where both are within "
        f"{run.evidence['delta']:g} standard deviations (of a score of the set, within that share of it); else it is "
        "undecided. "
    )


def _label(run: Drawable, metric: str, name: str) -> str:
    value = columns.meaning(run, metric, name)["value"]
    return value if metric == "energy" or value.startswith(metric) else f"{metric} {value}"
