"""The samples of an arm that a picture shows: all of them, or as many as an eye can tell, evenly chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import attrs
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinetic._report import columns as meanings
from kinetic._report.drawable import Drawable
from kinetic._sample.columns import UNTIL

SPREAD = 10_000
"""Samples of an arm that violins, bands and points in the plane are drawn from."""
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # phi mod 1, times 2^64


def evenly(n: int, most: int) -> NDArray[np.int64]:
    """The numbers, in order, of at most so many of n rows, evenly chosen: those i with the smallest i phi mod 1.

    With the golden ratio phi the gaps between them have three lengths at the most, and where row i is of class i mod C
    every class has its share, which every k-th row would not give it.

    Source: V. T. Sos, On the distribution mod 1 of the sequence n alpha, Ann. Univ. Sci. Budapest 1 (1958).
    """
    if n <= most:
        return np.arange(n)
    turned = np.arange(n).astype(np.uint64) * _GOLDEN
    return np.sort(np.argpartition(turned, most)[:most])


def drawn_of(n: int, most: int, of_all: str = "") -> str:
    """The sentence of a caption that says so, empty where all are drawn; `of_all` names what is of all samples."""
    if n <= most:
        return ""
    return f" Drawn are {most:,} of {n:,} samples, evenly chosen{f'; {of_all} of all' if of_all else ''}."


def finite_rows(run: Drawable, arm: str) -> pa.Table:
    """The rows of one arm without the samples that were left out of its scores and energies."""
    rows = run.rows(arm)
    if UNTIL not in rows.column_names:
        return rows
    return rows.filter(pa.compute.fill_null(pa.compute.is_nan(rows[UNTIL]), True))


def drawn_columns(run: Drawable, arm: str) -> dict[str, np.ndarray]:
    """The columns `(n,)` of one arm that pictures show: energies, a score of each metric, classes; and sample ids."""
    scores = [".".join(each) for each in meanings.headline(run)]
    return numbers(run, arm, [*meanings.energies(run, main=True), *scores, "class", "sample"])


@final
@attrs.frozen(eq=False)
class Bands:
    """A column `(n, k)` of one arm as a picture shows it.

    Args:
        n: samples.
        mean: `(k,)`, of all of them.
        quantiles: `(4, k)`, those of 10, 25, 75 and 90%, of the samples drawn.
        least: the smallest number.
    """

    n: int
    mean: np.ndarray
    quantiles: np.ndarray
    least: float

    @classmethod
    def of(cls, run: Drawable, arm: str, name: str) -> Bands | None:
        """Of a column of the table; None where the arm has none."""
        curve = numbers(run, arm, [name]).get(name)
        if curve is None:
            return None
        quantiles = np.quantile(curve[evenly(len(curve), SPREAD)], [0.1, 0.25, 0.75, 0.9], axis=0)
        return cls(len(curve), curve.mean(0), quantiles, float(curve.min()))


def numbers(run: Drawable, arm: str, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Those of the columns of an arm that are there, and not null, as arrays."""
    rows, numbers = finite_rows(run, arm), {}
    for name in names:
        if name in rows.column_names and len(rows) and not rows[name].null_count:
            column = rows[name].combine_chunks()
            listed = pa.types.is_fixed_size_list(column.type) or pa.types.is_list(column.type)
            values = (column.flatten() if listed else column).to_numpy(zero_copy_only=False)
            numbers[name] = values.reshape(len(column), -1) if listed else values
    return numbers
