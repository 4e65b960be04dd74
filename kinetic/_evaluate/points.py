"""Some points of a data set."""

from __future__ import annotations

from typing import final

import attrs
import torch
from torch import Tensor

from kinetic._roles.dataset import Dataset


@final
@attrs.frozen(eq=False)
class Points(Dataset):
    """The points of a data set that an index names; features of theirs are rows of the table of all.

    Args:
        data: the data set.
        index: int64 `(m,)`.
    """

    data: Dataset
    index: Tensor

    @property
    def event_shape(self) -> torch.Size:
        return self.data.event_shape

    def __len__(self) -> int:
        return len(self.index)

    def read(self, start: int, stop: int) -> Tensor:
        return self.data.take(self.index[start:stop])

    def take(self, index: Tensor) -> Tensor:
        return self.data.take(self.index[index.cpu()])

    @property
    def labels(self) -> Tensor | None:
        labels = self.data.labels
        return None if labels is None else labels.cpu()[self.index]
