"""The samples of a run whose shards are kept in a store, read when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import final

import attrs
import torch
from torch import Tensor

from kinetic._display import Card, Displayed
from kinetic._sample.shard import ShardStore


@final
@attrs.frozen(eq=False, repr=False)
class StoredSamples(Displayed):
    """The samples of a run, `(n, *event)`, of which only those asked for are in memory.

    `stored[ids]` and `stored[start:stop]` are tensors; `stored.tensor()` is all of them.

    Args:
        store: where the shards are.
        spans: the (start, stop) of every shard, in order, from 0 to n without gaps.
        kind: which tensor of a shard: samples, denoised, state or denoised_state.
        event_shape: of one sample.
        dtype: of all.
    """

    store: ShardStore
    spans: Sequence[tuple[int, int]]
    kind: str
    event_shape: torch.Size
    dtype: torch.dtype

    def __len__(self) -> int:
        return self.spans[-1][1] if self.spans else 0

    @property
    def shape(self) -> torch.Size:
        """`(n, *event)`."""
        return torch.Size([len(self), *self.event_shape])

    def _card(self) -> Card:
        kind = str(self.dtype).removeprefix("torch.")
        return Card("StoredSamples", (("", f"{' x '.join(map(str, self.shape))} {kind}, {self.kind}"),), inline=True)

    def __getitem__(self, index: slice | Tensor | Sequence[int] | Sequence[bool]) -> Tensor:
        """The samples of a range of ids, of a list of ids `(m,)`, or of a mask `(n,)`, in that order.

        Raises:
            IndexError: an id is out of range or no whole number, or a mask is of another number of samples.
        """
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            return self._take(torch.arange(start, max(start, stop), step))
        ids = torch.as_tensor(index).cpu()
        if ids.dtype == torch.bool:
            if len(ids) != len(self):
                raise IndexError(f"a mask of {len(ids)} does not fit {len(self)} samples")
            ids = ids.nonzero().flatten()
        if len(ids) and ids.is_floating_point():
            raise IndexError(f"samples are picked by whole numbers, not by {ids.dtype}")
        ids = ids.long()  # an empty list is one of floats
        beyond = ids[(ids >= len(self)) | (ids < -len(self))]
        if len(beyond):
            raise IndexError(f"{int(beyond[0])} is out of range for {len(self)} samples")
        return self._take(ids % max(1, len(self)))

    def blocks(self) -> Iterator[Tensor]:
        """All of them in order, shard by shard."""
        return (self._read(span) for span in self.spans)

    def tensor(self) -> Tensor:
        """All of them, in memory."""
        return torch.cat([*self.blocks()])

    def _take(self, ids: Tensor) -> Tensor:
        starts = torch.tensor([start for start, _ in self.spans], dtype=torch.int64)
        picked = torch.empty((len(ids), *self.event_shape), dtype=self.dtype)
        shards = torch.searchsorted(starts, ids, right=True) - 1
        for number in shards.unique().tolist():  # each shard is read once
            rows = (shards == number).nonzero().flatten()
            picked[rows] = self._read(self.spans[number])[ids[rows] - starts[number]]
        return picked

    def _read(self, span: tuple[int, int]) -> Tensor:
        tensor: Tensor = getattr(self.store.read(*span), self.kind)
        return tensor
