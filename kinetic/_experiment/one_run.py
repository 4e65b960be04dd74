"""A run in memory, as pictures ask it: an arm that was compared with none."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, final

import attrs
import pyarrow as pa
from torch import Tensor

from kinetic._experiment.compare import meanings
from kinetic._experiment.within_arm import correlations
from kinetic._sample.run import Run
from kinetic._sample.stored_samples import StoredSamples

_NAME = "run"


@final
@attrs.frozen(eq=False, slots=False)
class OneRun:
    """A `Drawable`; see there."""

    run: Run
    drawn: tuple[str, ...] = attrs.field(default=(_NAME,), init=False)
    runs: Mapping[str, list[list[str]]] = attrs.field(factory=dict, init=False)

    @cached_property
    def evidence(self) -> dict[str, Any]:
        """What its columns mean, and how energy and outcome hang together."""
        return {
            "columns": meanings({_NAME: self.run}),
            "correlations": {_NAME: correlations(_NAME, self.run)},
            "differences": [],
        }

    def shaped(self, arm: str) -> bool:
        """A run does not know."""
        return False

    @cached_property
    def _table(self) -> pa.Table:
        return self.run.table

    def rows(self, arm: str) -> pa.Table:
        """Its table."""
        return self._table

    def stored(self, arm: str) -> StoredSamples | Tensor:
        """Its samples."""
        return self.run.samples

    def neighbours(self, arm: str) -> None:
        """Training points are kept in run folders alone."""
