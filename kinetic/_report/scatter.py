"""Energy against outcome, a point for each sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kinetic._evaluate.views import PLAIN
from kinetic._report import canvas
from kinetic._report import columns as meanings
from kinetic._report.chosen import drawn_of, evenly
from kinetic._report.drawable import Drawable
from kinetic._report.numbers import fixed, typeset

_POINTS = 1500  # of a panel, evenly chosen


def outcomes(run: Drawable, arm: str, columns: Mapping[str, np.ndarray]) -> canvas.Picture | None:
    """The main energies against one score of each metric, where both vary."""
    energies = [name for name in meanings.energies(run, main=True) if name in columns][: meanings.DRAWN]
    rhos = _rows(run, arm)
    vary = {key for key, row in rhos.items() if row["shown"] and row["raw"]}
    headline = [".".join(each) for each in meanings.headline(run)]
    scores = [name for name in headline if any((energy, name) in vary for energy in energies)]
    return scatter(run, arm, columns, energies, scores) if energies and scores else None


def scatter(
    run: Drawable, arm: str, columns: Mapping[str, np.ndarray], energies: Sequence[str], scores: Sequence[str]
) -> canvas.Picture:
    """A panel for each energy and score, with Spearman's rho where the evidence has it."""
    panels, across = [(energy, score) for energy in energies for score in scores], len(scores)
    if across > 4:
        panels, across = [(energy, score) for score in scores for energy in energies], 4
    rhos = _rows(run, arm)
    figure, axes = canvas.panels(len(panels), across, (2.9, 2.35) if len(panels) > 1 else (4.35, 3.2))
    n = len(columns[scores[0]])
    chosen = evenly(n, _POINTS)
    for axis, (energy, score) in zip(axes, panels, strict=True):
        colour = canvas.COLOURS[energies.index(energy) % len(canvas.COLOURS)]
        axis.scatter(columns[energy][chosen], columns[score][chosen], s=5, alpha=0.35, lw=0, color=colour)
        row = rhos.get((energy, score), {})
        rows = [(name, row.get(key)) for name, key in (("ρ", "raw"), ("beyond norms", "partial"))]
        axis.set_title("\n".join(f"{name} {_rho(estimate)}" for name, estimate in rows if estimate), fontsize=7.5)
        axis.set_xlabel(meanings.with_unit(run, energy))
        axis.set_ylabel(score)
    caption = (
        f"Each point is a sample of arm {arm}. Above each panel Spearman's rho with its 95% interval, raw and of what "
        "linear regression on ‖x0‖², ⟨x0,x1⟩ and ‖x1‖² leaves."
    )
    caption += drawn_of(n, _POINTS, "numbers are")
    return canvas.picture(
        figure, f"Energy and outcome: {arm}", caption, f"{' and '.join(energies)} against {', '.join(scores)}."
    )


def _rows(run: Drawable, arm: str) -> dict[tuple[str, str], Mapping[str, Any]]:
    """The correlations of an arm, by energy and by the name that the table has for the score."""
    rows = run.evidence["correlations"].get(arm, [])
    return {(row["energy"], _score(row)): row for row in rows}


def _score(row: Mapping[str, Any]) -> str:
    return f"{row['metric']}.{row['score']}" + ("" if row["view"] == PLAIN else f"_{row['view']}")


def _rho(estimate: Mapping[str, Any]) -> str:
    return typeset("{} [{}, {}]".format(*(fixed(estimate[key], 2) for key in ("value", "low", "high"))))
