"""What the columns of a finished run say of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kinetic._evaluate.views import PLAIN, split
from kinetic._report.drawable import Drawable
from kinetic._sample.columns import NORMS

Meaning = Mapping[str, Any]
"""`says`, `kind`, `unit`, `better`, `main`, `value` and `curve` of a column, as `evidence.json` has them."""

DRAWN = 2
"""Energies that pictures of samples show; tables have all."""
_UNKNOWN: Meaning = {"says": "", "kind": "score", "unit": "", "better": "neither", "main": True, "curve": False}


def meaning(run: Drawable, metric: str, name: str) -> Meaning:
    """What a column or value of a metric means, by its name in files; `energy` is the metric of energies."""
    known: Mapping[str, Meaning] = run.evidence["columns"].get(metric, {})
    base = split(name)[0]
    if base in known:
        return known[base]
    return next((each for each in known.values() if each["value"] == base), {**_UNKNOWN, "name": base, "value": base})


def energies(run: Drawable, main: bool = False) -> list[str]:
    """The energies there are, norms and curves left out; only those that short tables and pictures show, if asked."""
    names = [n for n, each in _energy(run).items() if each["kind"] == "energy" and not each["curve"] and n not in NORMS]
    return [name for name in names if _energy(run)[name]["main"] or not main]


def curves(run: Drawable) -> list[str]:
    """The energies that are curves against time."""
    return [name for name, each in _energy(run).items() if each["curve"] and each["kind"] == "energy"]


def walked(run: Drawable) -> list[str]:
    """Columns that tell how a path was walked: counts, errors and settings."""
    return [n for n, each in _energy(run).items() if each["kind"] in ("count", "error", "label") and not each["curve"]]


def per_sample(run: Drawable) -> list[tuple[str, str]]:
    """The scores that are correlated with energies, metric and column, in order: those of the samples as they are."""
    rows = (row for rows in run.evidence["correlations"].values() for row in rows)
    return [*dict.fromkeys((row["metric"], row["score"]) for row in rows if row["view"] == PLAIN)]


def headline(run: Drawable) -> list[tuple[str, str]]:
    """One score of each metric, the first it names: what a picture shows."""
    there = per_sample(run)
    chosen: dict[str, tuple[str, str]] = {}
    for metric in dict.fromkeys(metric for metric, _ in there):
        for name, each in run.evidence["columns"][metric].items():
            if each["main"] and (metric, name) in there:
                chosen.setdefault(metric, (metric, name))
    return list(chosen.values())


def sentences(run: Drawable, metric: str, names: list[str]) -> list[str]:
    """The sentence that each column says of itself; of denoised samples none, it is the same."""
    return [str(meaning(run, metric, name)["says"]) if split(name)[1] == PLAIN else "" for name in names]


def units(run: Drawable, metric: str, names: list[str]) -> str:
    """The unit that all of them have; empty where they have several, or none."""
    units = {meaning(run, metric, name)["unit"] for name in names}
    return units.pop() if len(units) == 1 else ""


def with_unit(run: Drawable, name: str) -> str:
    """A column of the table as an axis names it, with its unit where it has one: `kpe (squared data units)`."""
    metric = next((each for each in run.evidence["columns"] if name.startswith(f"{each}.")), "energy")
    unit = meaning(run, metric, name.removeprefix(f"{metric}."))["unit"]
    return f"{name} ({unit})" if unit else name


def _energy(run: Drawable) -> Mapping[str, Meaning]:
    known: Mapping[str, Meaning] = run.evidence["columns"]["energy"]
    return known
