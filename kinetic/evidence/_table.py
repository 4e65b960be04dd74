"""The columns of energies, scores and controls that vary, as matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinetic.errors import OptionError
from kinetic.evidence._estimate import Array, column

_ROUNDING = 1e-6  # samples are float32


@final
@attrs.frozen(eq=False)
class Columns:
    """Columns of n samples that are not constant; see `of`.

    Args:
        n: samples.
        energies, scores: names.
        x, y: the columns `(p, n)` and `(q, n)` that go by these names.
        controls: `(c, n)`.
    """

    n: int
    energies: tuple[str, ...]
    scores: tuple[str, ...]
    x: Array
    y: Array
    controls: Array

    @classmethod
    def of(
        cls, table: Mapping[str, ArrayLike], energies: Sequence[str], scores: Sequence[str], controls: Sequence[str]
    ) -> Columns:
        """Checks the columns; one whose values differ by less than 1e-6 of 1 + the largest is constant."""
        columns = {name: column(table[name], name) for name in dict.fromkeys([*controls, *energies, *scores])}
        lengths = {len(each) for each in columns.values()}
        if len(lengths) > 1:
            raise OptionError("columns must be equally long")
        n = lengths.pop() if lengths else 0
        varying = {name for name, each in columns.items() if np.ptp(each) > _ROUNDING * (1 + np.abs(each).max())}

        def stack(names: Sequence[str]) -> Array:
            return np.stack([columns[name] for name in names]) if names else np.empty((0, n))

        xs, ys, held = ([name for name in dict.fromkeys(g) if name in varying] for g in (energies, scores, controls))
        return cls(n, tuple(xs), tuple(ys), stack(xs), stack(ys), stack(held))

    @property
    def empty(self) -> bool:
        """Whether there is nothing to correlate."""
        return self.n < 4 or not self.energies or not self.scores

    @property
    def distinct(self) -> NDArray[np.bool_]:
        """`(p, q)`, false where a column would meet itself."""
        return np.array([[energy != score for score in self.scores] for energy in self.energies])
