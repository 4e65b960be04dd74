"""How many intervals miss 0 by chance, and how much that number spreads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinetic.evidence._estimate import Array, quantile
from kinetic.evidence._order import ascending
from kinetic.evidence._ranked import Ranked
from kinetic.evidence._residuals import Beyond
from kinetic.evidence._table import Columns

DRAWS, ENOUGH = 200, 5000


@attrs.frozen
class FalseCount:
    """How many of `shown` intervals miss 0 where energies and scores have nothing to do with each other.

    Args:
        shown: intervals.
        mean: of the number that misses 0.
        low, high: its 5% and 95% quantiles. They are far apart where columns are near copies of each other.
    """

    shown: int
    mean: float
    low: float
    high: float


def permutation_count(
    table: Mapping[str, ArrayLike],
    energies: Sequence[str],
    scores: Sequence[str],
    controls: Sequence[str] = (),
    fifths: bool = False,
    q: float = 0.2,
) -> FalseCount:
    """How many intervals of `spearman`, and of `quantile_groups`, miss 0 when samples' energies are dealt out anew.

    All energies of a sample go to one other sample together, so that columns keep what they have to do with each
    other. In each of 200 permutations an interval misses 0 where sqrt(n) |r| > 1.96: r is the correlation of ranks
    (raw), of the ranks of residuals linear in the controls (partial), or of the score with 1{high} - 1{low} (fifths).
    The count hangs on what columns have to do with each other, not on n: of more than 5,000 samples the first do.

    Args:
        table: `{column: (n,)}`, finite.
        energies, scores, controls: names of columns that are shown.
        fifths: whether the difference of the groups of low and high energy is shown too.
        q: their share of the samples.
    Source: Westfall & Young, Resampling-Based Multiple Testing (1993), chapter 2.
    """
    names = dict.fromkeys([*controls, *energies, *scores])
    columns = Columns.of({name: np.asarray(table[name])[:ENOUGH] for name in names}, energies, scores, controls)
    if columns.empty:
        return FalseCount(0, 0.0, 0.0, 0.0)
    n, rng = columns.n, np.random.default_rng([0, columns.n])
    families = list(_families(columns, q if fifths else None))
    counts, bound = np.zeros(DRAWS), quantile() * np.sqrt(n)
    for k in range(DRAWS):
        dealt = rng.permutation(n)
        counts[k] = sum(((np.abs(x[:, dealt] @ y.T) > bound) & there).sum() for x, y, there in families)
    low, high = np.quantile(counts, [0.05, 0.95])
    return FalseCount(int(sum(there.sum() for *_, there in families)), float(counts.mean()), float(low), float(high))


def _families(columns: Columns, q: float | None) -> Iterator[tuple[Array, Array, NDArray[np.bool_]]]:
    """Rows `(p, n)` and `(q, n)` of mean 0 and variance 1, and which pairs are shown: `(p, q)`."""
    yield _ranks(columns.x), _ranks(columns.y), columns.distinct
    if len(columns.controls):
        beyond = Beyond.of(columns)
        yield _ranks(beyond.x), _ranks(beyond.y), columns.distinct & ~beyond.function
    if q is not None:
        size, sides = max(1, int(q * columns.n)), np.zeros(columns.x.shape)
        order, _ = ascending(columns.x)
        np.put_along_axis(sides, order[:, :size], -1.0, 1)
        np.put_along_axis(sides, order[:, -size:], 1.0, 1)
        yield _standard(sides), _standard(columns.y), columns.distinct


def _ranks(columns: Array) -> Array:
    return _standard(Ranked.of(columns).shares)


def _standard(rows: Array) -> Array:
    """In float32: these are counted, not shown."""
    centred = rows - rows.mean(1, keepdims=True)
    spread = centred.std(1, keepdims=True)
    return (centred / np.where(spread > 0, spread, 1)).astype(np.float32)
