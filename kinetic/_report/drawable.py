"""What pictures ask of a run: a finished one in its folder, or one in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pyarrow as pa
from torch import Tensor

from kinetic._sample.stored_samples import StoredSamples


class Drawable(Protocol):
    """A run that can be drawn; `FinishedRun` says what each of these is."""

    @property
    def drawn(self) -> Sequence[str]:
        """The arms that pictures show."""

    @property
    def runs(self) -> Mapping[str, list[list[str]]]:
        """The runs of arms that are run several times."""

    @property
    def evidence(self) -> Mapping[str, Any]:
        """What columns mean, and what the arms say together, as far as there is any."""

    def shaped(self, arm: str) -> bool:
        """Whether an arm ran under a schedule."""

    def rows(self, arm: str) -> pa.Table:
        """The table of an arm, a row per sample."""

    def stored(self, arm: str) -> StoredSamples | Tensor:
        """Its samples `(n, ...)`."""

    def neighbours(self, arm: str) -> Mapping[str, Tensor] | None:
        """Its most copy-like samples beside training points, where they were kept."""
