"""What several runs of every arm say together, and where there is one training alone."""

from __future__ import annotations

from kinetic._evaluate.views import PLAIN
from kinetic._report import columns
from kinetic._report.drawable import Drawable
from kinetic._report.numbers import format_aligned
from kinetic._report.tables import Table, excludes_zero
from kinetic._store.finished_run import FinishedRun


def count(run: Drawable) -> str:
    """`6 trainings`."""
    units = next(iter(run.runs.values()))
    return f"{len(units)} {run.evidence['over_runs']['of']}"


def trained_once(run: FinishedRun) -> list[str]:
    """The arms whose field is a network of which there is one training."""
    arms: list[str] = run.evidence.get("one_training", [])
    return arms


def scores(run: FinishedRun) -> list[Table]:
    """A table of energies, then one for each metric, an arm a row, over its runs."""
    if not run.runs:
        return []
    over = run.evidence["over_runs"]["scores"]
    names: dict[str, dict[str, None]] = {"energy": dict.fromkeys(columns.energies(run, main=True))}
    for own in over.values():
        for metric, values in own.items():
            shown = (name for name in values if columns.meaning(run, metric, name)["main"])
            names.setdefault(metric, {}).update(dict.fromkeys(() if metric == "energy" else shown))
    return [_by_arm(run, metric, [*found]) for metric, found in names.items() if found]


def _by_arm(run: FinishedRun, metric: str, names: list[str]) -> Table:
    over = run.evidence["over_runs"]["scores"]
    cells = [format_aligned([over[arm].get(metric, {}).get(name) for arm in over]) for name in names]
    title = f"{'Energy' if metric == 'energy' else metric}, over {count(run)}"
    caption = f"Means over {count(run)} of each arm with Student's 95% intervals."
    says = ("", *columns.sentences(run, metric, names))
    return Table(title, caption, ("arm", *names), tuple(zip(over, *cells, strict=True)), says=says)


def correlations(run: FinishedRun) -> Table | None:
    """Spearman's rho of energies with scores over the runs of each arm."""
    if not run.runs:
        return None
    rows = [
        (arm, row)
        for arm, own in run.evidence["over_runs"]["correlations"].items()
        for row in own
        if row["shown"] and row["view"] == PLAIN
    ]
    if not rows:
        return None
    caption = (
        f"Spearman's rho in each run, its mean over {count(run)} with Student's 95% interval. Bold: it excludes 0."
    )
    cells = tuple(
        (arm, row["energy"], f"{row['metric']}.{row['score']}", *format_aligned([row["raw"], row["partial"]]))
        for arm, row in rows
    )
    marks = tuple("clear" if excludes_zero(row["raw"]) else "" for _, row in rows)
    return Table(
        "Energy and outcome, over runs", caption, ("arm", "energy", "score", "rho", "beyond norms"), cells, marks
    )
