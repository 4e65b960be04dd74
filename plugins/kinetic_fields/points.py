"""The data of the closed-form field, as one pass after another reads them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import attrs
import torch
from torch import Tensor

from kinetic import Dataset
from kinetic.errors import OptionError

_BLOCK, _BLOCK_GPU = 2**21, 2**26  # elements at a time; on a CPU 8 MiB of float32 stay in its cache


@attrs.frozen(eq=False)
class Points:
    """A data set with what never changes about it: half squared norms, and which points belong to which class."""

    data: Dataset

    @cached_property
    def half_squares(self) -> Tensor:
        """||x_i||^2 / 2, float64 `(N,)`, on the CPU.

        Raises:
            OptionError: a point is not finite.
        """
        size = _size(self.data, torch.device("cpu"))
        half = torch.empty(len(self.data), dtype=torch.float64)
        for start, block in self.data.blocks(size):  # kept in one piece: small ones would part the heap block by block
            half[start : start + len(block)] = 0.5 * block.flatten(1).double().square().sum(1)
        if not bool(half.isfinite().all()):
            bad = (~half.isfinite()).nonzero()[:, 0]
            raise OptionError(f"data must be finite: {len(bad)} point(s) are not, the first is number {int(bad[0])}")
        return half

    @cached_property
    def _kept(self) -> dict[tuple[torch.dtype, torch.device], tuple[Tensor, Tensor]]:
        return {}

    def constants(self, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
        """Half squared norms and indices of all points `(N,)`, as a pass wants them; made once."""
        if (dtype, device) not in self._kept:
            everyone = torch.arange(len(self.data), device=device)
            self._kept[dtype, device] = self.half_squares.to(device, dtype), everyone
        return self._kept[dtype, device]

    @cached_property
    def largest(self) -> float:
        """max_i ||x_i||."""
        return float((2 * self.half_squares.amax()).sqrt())

    @cached_property
    def by_class(self) -> dict[int, Tensor]:
        """The indices of the points of each class, ascending."""
        labels = self.data.labels
        assert labels is not None
        return {int(label): (labels == label).nonzero()[:, 0] for label in labels.unique()}

    def blocks(
        self, dtype: torch.dtype, device: torch.device, label: int | None = None
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Blocks of all points, or of those of a class: indices `(c,)`, points `(c, d)`, half squared norms `(c,)`.

        Points with consecutive indices are read as they lie; others are gathered, a block at a time.
        """
        size = _size(self.data, device)
        half, everyone = self.constants(dtype, device)
        index = None if label is None else self.by_class[label]
        first, stop = (0, len(self.data)) if index is None else (int(index[0]), int(index[-1]) + 1)
        if index is None or stop - first == len(index):
            for start in range(first, stop, size):
                end = min(start + size, stop)
                points = self.data.read(start, end).to(device, dtype).flatten(1)
                yield everyone[start:end], points, half[start:end]
            return
        for ids in index.split(size):
            yield ids.to(device), self.data.take(ids).to(device, dtype).flatten(1), half[ids.to(device)]


def _size(data: Dataset, device: torch.device) -> int:
    return max(1, (_BLOCK if device.type == "cpu" else _BLOCK_GPU) // max(1, data.event_shape.numel()))
