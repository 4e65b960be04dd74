"""What the tables of the report say; the page and the terminal print these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from kinetic._evaluate.protocol import in_words
from kinetic._evaluate.views import PLAIN, split
from kinetic._report import columns
from kinetic._report.numbers import format_aligned, number
from kinetic._store.finished_run import FinishedRun

STEP = "one more Euler step that takes leftover noise off"


@attrs.frozen
class Table:
    """A table: a title, what it means in a sentence or two, the head, the rows.

    Marks say how a row is to be read, `says` what each column is, empty where its head says it.
    """

    title: str
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marks: tuple[str, ...] = ()
    says: tuple[str, ...] = ()

    @property
    def legend(self) -> str:
        """What the columns are, each once, after its name."""
        told = {words: name for name, words in reversed([*zip(self.head, self.says, strict=False)]) if words}
        return " ".join(f"{name}: {words}" for words, name in reversed(told.items()))


def energies(run: FinishedRun) -> list[Table]:
    """The energies, an arm a row, and how the paths were walked where a solver or a schedule says."""
    tables = []
    names = _there(run, columns.energies(run))
    if names:
        unit = columns.units(run, "energy", names)
        caption = f"Means over samples with 95% intervals{f', in {unit}' if unit else ''}."
        tables.append(_by_arm(run, "Energy", caption, "energy", names))
    walked = _there(run, columns.walked(run))
    if walked and walked != ["nfe"]:
        tables.append(_by_arm(run, "Path", "Means over samples with 95% intervals.", "energy", walked))
    return tables


def scores(run: FinishedRun) -> list[Table]:
    """A table for each metric, an arm a row."""
    names: dict[str, dict[str, None]] = {}
    for arm in run.arms:
        for metric, values in run.scores[arm].items():
            names.setdefault(metric, {}).update(dict.fromkeys(values))
    return [
        _by_arm(run, metric, _protocol(run, metric), metric, [*found])
        for metric, found in names.items()
        if metric != "energy"
    ]


def _protocol(run: FinishedRun, metric: str) -> str:
    """By what protocol the scores of a metric were made, arm by arm where they do not share one."""
    made = {arm: own[metric] for arm, own in run.protocols.items() if metric in own}
    ids = {each["id"] for each in made.values()}
    if len(ids) == 1:
        return in_words(next(iter(made.values())))
    return " ".join(f"{arm}: {in_words(each)}" for arm, each in made.items())


def correlations(run: FinishedRun, arm: str) -> Table | None:
    """Spearman's rho of energies with scores in one arm: raw, beyond the norms, and within classes."""
    rows = _shown(run.evidence["correlations"].get(arm, []))
    if not rows:
        return None
    classed = any(row["within"] for row in rows)
    caption = (
        "Spearman's rho over the samples of the arm, and of what linear regression on ||x0||^2, <x0, x1> and ||x1||^2 "
        "leaves (beyond norms), with the p-value of the generalised covariance measure, which is the test. Bold: rho "
        "excludes 0 and the test is below 0.05."
    )
    caption += " Within classes: put together over classes, with the p-value of Cochran's Q that all agree." * classed
    head = ("energy", "score", "rho", "beyond norms", "p", *(("within classes", "Q, p") if classed else ()))
    cells, marks = [], []
    for row in rows:
        raw, partial, within = format_aligned([row["raw"], row["partial"], row["within"]])
        last = (within, number(row["q_p"], 2)) if classed else ()
        cells.append((row["energy"], f"{row['metric']}.{row['score']}", raw, partial, number(row["p"], 2), *last))
        marks.append("clear" if excludes_zero(row["raw"]) and row["beyond"] else "")
    return Table(f"Energy and outcome: {arm}", caption, head, tuple(cells), tuple(marks))


def groups(run: FinishedRun, arm: str) -> Table | None:
    """Mean score of the samples with the lowest and the highest energy."""
    rows = _shown(run.evidence["groups"].get(arm, []))
    if not rows:
        return None
    caption = (
        "Mean score of the fifth of the samples with the lowest and the highest energy, as the paper splits them. "
        "Bold: the interval of the difference excludes 0."
    )
    head = ("energy", "score", "lowest fifth", "highest fifth", "high - low")
    keys = ("low", "high", "difference")
    cells = tuple(
        (row["energy"], f"{row['metric']}.{row['score']}", *format_aligned([row[key] for key in keys])) for row in rows
    )
    marks = tuple("clear" if excludes_zero(row["difference"]) else "" for row in rows)
    return Table(f"Low and high energy: {arm}", caption, head, cells, marks)


def excludes_zero(estimate: Mapping[str, Any] | None) -> bool:
    """Whether the interval excludes 0."""
    if estimate is None or estimate.get("low") is None:
        return False
    return bool(estimate["low"] > 0 or estimate["high"] < 0)


def _shown(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [row for row in rows if row["shown"]]


def _there(run: FinishedRun, names: Sequence[str]) -> list[str]:
    return [name for name in names if any(run.scores[arm]["energy"].get(name) for arm in run.arms)]


def _by_arm(run: FinishedRun, title: str, caption: str, metric: str, names: list[str]) -> Table:
    cells = [format_aligned([run.scores[arm].get(metric, {}).get(name) for arm in run.arms]) for name in names]
    words = [caption] if caption else []
    if any(split(name)[1] != PLAIN for name in names):
        words.append(f"'denoised' is the same after {STEP}.")
    says = ("", *columns.sentences(run, metric, names))
    return Table(title, " ".join(words), ("arm", *names), tuple(zip(run.arms, *cells, strict=True)), says=says)
