"""The finished shards of one arm, one file each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import final

import attrs
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from kinetic._sample.shard import Shard
from kinetic._store.layout import shard_name
from kinetic._store.manifest import Manifest
from kinetic.errors import StoreError

_AGAIN = "The same `kinetic run` draws its samples again."


@final
@attrs.frozen(eq=False)
class ShardFiles:
    """The finished shards of one arm in a run folder, named after their sample ids.

    Args:
        manifest: of the folder.
        arm: whose shards.
        made: the digest of what makes them; see `kinetic._store.provenance.digest`. Those of another are not taken up.
        on_shard: called with each shard when it was saved, and whether it takes the place of one that was damaged.
    """

    manifest: Manifest
    arm: str
    made: str
    on_shard: Callable[[str, Shard, bool], None] = lambda arm, shard, again: None

    def load(self, start: int, stop: int) -> Shard | None:
        """The shard of these ids; None where there is none, it is damaged, or something else made it."""
        try:
            return self.read(start, stop) if self._is_own(start, stop) else None
        except StoreError:
            return None

    def is_whole(self, start: int, stop: int) -> bool:
        """Whether the file of these ids is there, is what was written, and was made by the same."""
        try:
            return self._is_own(start, stop) and bool(self.manifest.check(shard_name(self.arm, start, stop)))
        except StoreError:
            return False

    def read(self, start: int, stop: int) -> Shard:
        """The shard of these ids, which is there.

        Raises:
            StoreError: it is not, or it is not what was written.
        """
        return read_shard(self.manifest, shard_name(self.arm, start, stop), start, stop)

    def _is_own(self, start: int, stop: int) -> bool:
        entry = self.manifest.entries.get(shard_name(self.arm, start, stop))
        return entry is not None and entry.made == self.made

    def save(self, shard: Shard) -> None:
        """Keep a shard, whole or not at all."""
        tensors = {"samples": shard.samples.contiguous()}
        if shard.denoised is not shard.samples:
            tensors["denoised"] = shard.denoised.contiguous()
        if shard.state is not shard.samples:
            tensors["state"] = shard.state.contiguous()
            if shard.denoised_state is not shard.state:
                tensors["denoised_state"] = shard.denoised_state.contiguous()
        tensors |= {f"energy.{name}": column.contiguous() for name, column in shard.energy.items()}
        order = {"columns": json.dumps(list(tensors))}  # safetensors sorts them; a table read back keeps its order
        name = shard_name(self.arm, shard.start, shard.stop)
        again = name in self.manifest.entries
        self.manifest.write(name, lambda path: save_file(tensors, path, order), self.made)
        self.on_shard(self.arm, shard, again)


def read_shard(manifest: Manifest, name: str, start: int, stop: int) -> Shard:
    """A shard that is what was written.

    Raises:
        StoreError: there is none, or it is another.
    """
    path = manifest.check(name, _AGAIN)
    try:
        return _parsed(path, start, stop)
    except (SafetensorError, OSError, ValueError) as error:
        raise StoreError(f"{path} cannot be read: {error}\n  {_AGAIN}") from error


def _parsed(path: Path, start: int, stop: int) -> Shard:
    with safe_open(path, "pt") as file:
        order = json.loads((file.metadata() or {}).get("columns", "[]"))
        tensors = {name: file.get_tensor(name) for name in order}
    if {tensor.shape[:1] for tensor in tensors.values()} != {torch.Size([stop - start])}:
        raise ValueError(f"it does not hold samples {start} to {stop - 1}")
    samples = tensors.pop("samples")
    denoised = tensors.pop("denoised", samples)
    state = tensors.pop("state", samples)
    denoised_state = tensors.pop("denoised_state", state if denoised is samples else denoised)
    energy = {name.removeprefix("energy."): tensor for name, tensor in tensors.items()}
    return Shard(start, samples, denoised, energy, state=state, denoised_state=denoised_state)
