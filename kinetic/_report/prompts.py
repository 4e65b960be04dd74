"""The prompts of a run: what was asked for, and the mean energies and scores of each."""

from __future__ import annotations

import numpy as np

from kinetic import evidence
from kinetic._report import columns
from kinetic._report.chosen import finite_rows
from kinetic._report.drawable import Drawable
from kinetic._report.numbers import format_aligned
from kinetic._report.tables import Table
from kinetic._terminal import printable

LISTED = 50
"""Prompts a table lists."""
_CUT = 100  # characters of a prompt


def prompts_asked(run: Drawable, arm: str) -> dict[int, str]:
    """The prompts that samples of an arm were asked for, by number; empty where there were none."""
    rows = finite_rows(run, arm)
    if not {"class", "prompt"} <= {*rows.column_names} or rows["prompt"].null_count:
        return {}
    return dict(sorted(zip(rows["class"].to_pylist(), rows["prompt"].to_pylist(), strict=True)))


def prompt_of(text: str) -> str:
    """A prompt in one short line, where what would steer a terminal or turn a line around is shown as its escape."""
    return printable(text if len(text) <= _CUT else f"{text[: _CUT - 3]}...")


def prompts(run: Drawable, arm: str) -> Table | None:
    """A prompt a row: its number, its text, how many samples asked for it, their mean energies and scores."""
    texts = prompts_asked(run, arm)
    if not texts:
        return None
    rows = finite_rows(run, arm)
    asked = rows["class"].to_numpy()
    shown = [*texts][:LISTED]
    names = [*columns.energies(run, main=True), *(".".join(each) for each in columns.headline(run))]
    there = {name: rows[name] for name in names if name in rows.column_names and not rows[name].null_count}
    values = {name: each for name, column in there.items() if np.isfinite(each := column.to_numpy()).all()}
    means = [
        format_aligned([evidence.mean(column[asked == number]).to_json() for number in shown])
        for column in values.values()
    ]
    counts = [str(int((asked == number).sum())) for number in shown]
    numbers = [f"#{number}" for number in shown]
    said = [prompt_of(texts[number]) for number in shown]
    cells = tuple(zip(numbers, said, counts, *means, strict=True))
    more = f" The first {LISTED} of {len(texts)} prompts; samples.parquet has all." if len(texts) > LISTED else ""
    caption = (
        f"What samples of the arm were asked for, with means over the samples of each prompt and 95% intervals.{more}"
    )
    return Table(f"Prompts: {arm}", caption, ("number", "prompt", "samples", *values), cells)
