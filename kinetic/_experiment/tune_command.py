"""The command `tune`: candidates are the arms of one run, those chosen are judged by another with other noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from kinetic._experiment.experiment import Recipe
from kinetic._experiment.read_recipe import build_recipe, load_recipe
from kinetic._experiment.tuning import (
    Judged,
    Tuning,
    by_view,
    candidates,
    chosen,
    column_of,
    first_run,
    front,
    judged,
    read_tuning,
    second_run,
)
from kinetic._plugins.builder import code_of
from kinetic._progress import Reporter
from kinetic._store.files import write_json, write_text
from kinetic.errors import unknown

TUNED, CHOSEN = "tune.json", "chosen.toml"
"""The files it leaves beside the two run folders."""
FIRST, SECOND = "tuning", "held-out"
"""The folders of the runs that choose and that judge."""
_HEAD = ("arm", "against", "metric", "name")  # which difference a row of the evidence is of


def tune_recipe(
    source: str,
    out: Path | None = None,
    device: str = "auto",
    overrides: Sequence[str] = (),
    searches: Sequence[str] = (),
    field: str | None = None,
    reporter: Reporter | None = None,
) -> dict[str, Any]:
    """Search over options of arms, choose, and judge what was chosen on noise of its own.

    Args:
        source: a recipe, as of `load_recipe`.
        out: the folder, `runs/NAME-tuned` by default.
        device: a torch device, or "auto".
        overrides: as of `load_recipe`.
        searches: `KEY=V1,V2`, in place of `[tune.search]`.
        field: as of `load_recipe`.
        reporter: shows how far the runs are.
    Returns:
        what `tune.json` holds.
    """
    recipe = load_recipe(source, overrides, field=field)
    tuning = read_tuning(recipe.content, searches)
    _check_scores(recipe, tuning)
    path = out or Path("runs") / f"{recipe.name}-tuned"
    code = {} if field is None else {"field": code_of(field)}

    def built(content: Mapping[str, Any]) -> Recipe:
        return build_recipe(recipe.name, content, recipe.registry, code)

    some = candidates(tuning)
    shows = reporter or Reporter()
    first = built(first_run(recipe.content, tuning, some)).run(path / FIRST, device, shows)
    found = judged(some, tuning, first.evidence)
    best = chosen(found)
    content = second_run(recipe.content, [each.candidate for each in best.values()])
    write_text(path / CHOSEN, tomli_w.dumps(content))
    second = built(content).run(path / SECOND, device, shows)
    held = {
        "recipe": recipe.name,
        "reference": tuning.reference,
        "fidelity": ".".join(tuning.fidelity),
        "copying": ".".join(tuning.copying),
        "seeds": {"tuning": tuning.seed, "held_out": recipe.content["run"].get("seed", 0)},
        "candidates": _rows(found, best),
        "held_out": _held_out(second.evidence, tuning),
    }
    write_json(path / TUNED, held)
    return held | {"folder": str(path)}


def _rows(found: Sequence[Judged], best: Mapping[str, Judged]) -> list[dict[str, Any]]:
    """The rows `candidates` of `tune.json`."""
    ahead = front(found)
    return [
        {
            "name": each.candidate.name,
            "arm": each.candidate.arm,
            "settings": dict(each.candidate.settings),
            "fidelity": dict(each.fidelity),
            "copying": dict(each.copying),
            "loss": each.loss,
            "copies": each.copies,
            "allowed": each.allowed,
            "on_front": each in ahead,
            "chosen": best[each.candidate.arm] is each,
        }
        for each in found
    ]


def _held_out(evidence: Mapping[str, Any], tuning: Tuning) -> list[dict[str, Any]]:
    """The differences of both scores in the second run, with what their views say together."""
    scores = [column_of(score, evidence["columns"]) for score in (tuning.fidelity, tuning.copying)]
    rows = []
    for verdict in evidence["verdicts"]:
        head = tuple(verdict[key] for key in _HEAD)
        if head[2:] in scores:
            own = (row for row in evidence["differences"] if tuple(row[key] for key in _HEAD) == head)
            rows.append({**{key: verdict[key] for key in (*_HEAD, "word")}, "views": by_view(own)})
    return rows


def _check_scores(recipe: Recipe, tuning: Tuning) -> None:
    """Refuse scores that no metric of the recipe gives, before anything is drawn."""
    metrics = next(iter(recipe.runners.values())).metrics
    for metric, name in (tuning.fidelity, tuning.copying):
        if metric not in metrics:
            raise unknown("[tune]: no metric of the recipe is named", metric, metrics)
        columns = {c.name: {"value": c.value, "better": c.better} for c in metrics[metric].described}
        column_of((metric, name), {metric: columns})
