"""What lives as long as one batch of trajectories."""

from __future__ import annotations

import attrs
import torch
from torch import Tensor

from kinetic._display import Displayed
from kinetic.types import ALL, Rows, is_all

_ROWS = "rows beyond one a velocity"


@attrs.frozen(eq=False, repr=False)
class Batch(Displayed):
    """The identity of the samples of a batch, handed to a field with each call.

    Args:
        ids: int64 `(n,)`, the sample ids.
        condition: `(n, ...)` or None, what each sample is asked to be; int64 class labels where classes are used.
        listening: whether a meter asks what velocities are made of (`kinetic.tell`).
    """

    ids: Tensor
    condition: Tensor | None = None
    listening: bool = attrs.field(default=False, kw_only=True)
    _memo: dict[str, Tensor] = attrs.field(factory=dict, repr=False)  # names start with _prefix
    _rows: Rows = attrs.field(default=ALL, repr=False)
    _size: int = attrs.field(repr=False)
    _prefix: str = attrs.field(default="", repr=False, kw_only=True)

    @_size.default
    def _all(self) -> int:
        return len(self.ids)

    def take(self, rows: Rows) -> Batch:
        """The batch cut to some of its rows. What is remembered through the cut is seen by the whole."""
        if is_all(rows):
            return self
        index = torch.arange(self._size, device=self.ids.device)[self._rows][rows]
        condition = None if self.condition is None else self.condition[rows]
        return Batch(
            self.ids[rows], condition, self._memo, index, self._size, prefix=self._prefix, listening=self.listening
        )

    def unconditional(self) -> Batch:
        """The same samples, asked for nothing, with a memory of their own that lives as long."""
        return Batch(self.ids, None, self._memo, self._rows, self._size, prefix=f"{self._prefix}unconditional ")

    def count(self, rows: Tensor) -> None:
        """Note that a velocity of each sample took so many rows of a network, int64 `(m,)`, in place of one."""
        before, whole = self.more_rows, self._without_prefix()
        whole.remember(_ROWS, rows - 1 if before is None else before + rows - 1)

    @property
    def more_rows(self) -> Tensor | None:
        """How many rows of networks were asked for beyond one a velocity, int64 `(n,)`; None where none was counted."""
        return self._without_prefix().recall(_ROWS)

    def _without_prefix(self) -> Batch:
        """The same rows with the memory of the whole batch: what is asked for unconditionally counts too."""
        return Batch(self.ids, self.condition, self._memo, self._rows, self._size)

    def remember(self, name: str, value: Tensor) -> None:
        """Keep `value`, `(m, ...)`, for these rows until the batch ends."""
        name = self._prefix + name
        if is_all(self._rows):
            self._memo[name] = value
            return
        if name not in self._memo:
            self._memo[name] = value.new_zeros(self._size, *value.shape[1:])
        else:
            self._memo[name] = self._memo[name].clone()
        self._memo[name][self._rows] = value

    def recall(self, name: str) -> Tensor | None:
        """What was last remembered for these rows, or None. Rows that never remembered anything hold zeros."""
        name = self._prefix + name
        return self._memo[name][self._rows] if name in self._memo else None
