"""The finished samples of one block, and where they are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol, final

import attrs
import torch
from torch import Tensor

from kinetic._roles.solver import Status


@final
@attrs.frozen(eq=False)
class Shard:
    """The finished samples of one block, on the CPU.

    Args:
        start: id of the first; ids are consecutive.
        samples: `(n, ...)`, as `VelocityField.seen` shows them.
        denoised: the same, after one more Euler step over what was left undone; `samples` where nothing was.
        energy: `{column: (n,) or (n, k)}` float64.
        state: `(n, *event)`, the samples as the field moved them; `samples` where they are seen so.
        denoised_state: the same, denoised; `state` where no noise was left, `denoised` where it is seen so.
    """

    start: int
    samples: Tensor
    denoised: Tensor
    energy: Mapping[str, Tensor]
    state: Tensor = attrs.field(kw_only=True)
    denoised_state: Tensor = attrs.field(kw_only=True)

    @state.default
    def _as_seen(self) -> Tensor:
        return self.samples

    @denoised_state.default
    def _denoised_as_seen(self) -> Tensor:
        return self.state if self.denoised is self.samples else self.denoised

    @property
    def stop(self) -> int:
        """One past the id of the last."""
        return self.start + len(self.samples)

    @property
    def nbytes(self) -> int:
        """How many bytes its tensors have."""
        tensors = (self.samples, self.denoised, self.state, self.denoised_state, *self.energy.values())
        return sum({id(x): x.nbytes for x in tensors}.values())

    def take(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """`samples`, `denoised`, `state` and `denoised_state` of some rows, one tensor where they are the same."""
        tensors = (self.samples, self.denoised, self.state, self.denoised_state)
        held = {id(x): x if len(rows) == len(x) else x[rows] for x in tensors}
        first, second, third, fourth = (held[id(x)] for x in tensors)
        return first, second, third, fourth

    @property
    def finite(self) -> Tensor:
        """bool `(n,)`, whose paths were finite to the end."""
        return is_finite(self.energy, len(self.samples))


class ShardStore(Protocol):
    """Where a run keeps its finished shards, and finds those of a run that was cut short."""

    def load(self, start: int, stop: int) -> Shard | None:
        """The shard of these ids; None where there is none, or it is not whole."""

    def read(self, start: int, stop: int) -> Shard:
        """The shard of these ids, which is there."""

    def save(self, shard: Shard) -> None:
        """Keep a shard, whole or not at all."""


def is_finite(energy: Mapping[str, Tensor], n: int) -> Tensor:
    """bool `(n,)`, which samples have a path that was finite to the end."""
    if "status" not in energy:
        return torch.ones(n, dtype=torch.bool)
    return energy["status"] != Status.NOT_FINITE


def blocks(samples: int, size: int) -> Iterator[tuple[int, int]]:
    """The (start, stop) of the blocks of ids that a run is cut into, in order; the last one may be smaller."""
    for start in range(0, samples, size):
        yield start, min(start + size, samples)
