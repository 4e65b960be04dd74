"""What is kept of the shards of a run as they pass by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import Tensor

from kinetic._roles.solver import Status
from kinetic._sample.columns import UNTIL
from kinetic._sample.shard import Shard, ShardStore
from kinetic._sample.stored_samples import StoredSamples
from kinetic.errors import NonFiniteError

_KINDS = ("samples", "denoised", "state", "denoised_state")
_ENOUGH = 2  # samples of which none has a finite path: it is the field, not the samples
_FILL = {"status": float(Status.REACHED)}  # in blocks without such a column; NaN in others


class Gathered:
    """The energies of all shards, and their samples where no store keeps these."""

    def __init__(self, store: ShardStore | None) -> None:
        self._store = store
        self._spans: list[tuple[int, int]] = []
        self._energies: list[Mapping[str, Tensor]] = []
        self._parts: dict[str, list[Tensor]] = {kind: [] for kind in _KINDS}
        self._same = dict.fromkeys(_KINDS, _KINDS[0])  # the first kind that every shard had the same tensor for
        self._event: dict[str, tuple[torch.Size, torch.dtype]] = {}
        self._any_finite = False

    def passing(self, shards: Iterable[Shard]) -> Iterator[Shard]:
        """The same shards, each taken as it passes; errors as of `add`."""
        for shard in shards:
            self.add(shard)
            yield shard

    def add(self, shard: Shard) -> None:
        """Take one more.

        Raises:
            NonFiniteError: until now no sample had a path that was finite to the end.
        """
        self._any_finite = self._any_finite or bool(shard.finite.any())
        if not self._any_finite and shard.stop >= _ENOUGH:
            raise NonFiniteError(range(shard.stop), float(shard.energy[UNTIL].min()))
        self._spans.append((shard.start, shard.stop))
        self._energies.append(shard.energy)
        for kind in _KINDS:
            tensor: Tensor = getattr(shard, kind)
            self._event[kind] = tensor.shape[1:], tensor.dtype
            if tensor is not getattr(shard, self._same[kind]):
                self._same[kind] = next(other for other in _KINDS if getattr(shard, other) is tensor)
            if self._store is None:
                self._parts[kind].append(tensor)

    def energy(self) -> dict[str, Tensor]:
        """`{column: (n,) or (n, k)}` of all samples; a column that a block lacks is NaN there, its status reached."""
        if not self._energies:
            return {}
        names = dict.fromkeys(name for energy in self._energies for name in energy)
        return {name: torch.cat([self._column(name, i) for i in range(len(self._energies))]) for name in names}

    def samples(self) -> dict[str, Tensor | StoredSamples]:
        """`samples`, `denoised`, `state` and `denoised_state`, one object where they are the same."""
        held = {kind: self._whole(kind) for kind in dict.fromkeys(self._same.values())}
        return {kind: held[self._same[kind]] for kind in _KINDS}

    def _column(self, name: str, i: int) -> Tensor:
        energy, (start, stop) = self._energies[i], self._spans[i]
        if name in energy:
            return energy[name]
        like = next(each[name] for each in self._energies if name in each)
        return like.new_full((stop - start, *like.shape[1:]), _FILL.get(name, float("nan")))

    def _whole(self, kind: str) -> Tensor | StoredSamples:
        if self._store is None:
            return torch.cat(self._parts[kind])
        return StoredSamples(self._store, tuple(self._spans), kind, *self._event[kind])
