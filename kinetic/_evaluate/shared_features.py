"""Features found once for all metrics that look in the same space."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, final

import attrs
import torch
from torch import Tensor, nn

from kinetic._roles.component import Component, with_fields
from kinetic._roles.features import FeatureSpace, wrap
from kinetic._roles.metric import Metric, Samples
from kinetic._store.provenance import hash_of, unwrap
from kinetic.types import State


@final
class SharedFeatures:
    """What spaces have found while metrics judge: each looks once at a batch of samples and at a point of a data set.

    Two spaces are one where class, options and weights are equal. The features of a batch are kept until the next one
    is shown; those of other points, by the SHA-256 of the point, until no other metric can ask for them. So there is at
    most one table of features for each space and data set, and none where a metric has its space for itself.

    Args:
        metrics: `{name: Metric}`, on the device of the batches.
    """

    def __init__(self, metrics: Mapping[str, Metric]) -> None:
        self._memories: dict[Any, _SpaceFeatures] = {}
        self._notes: dict[str, tuple[str, ...]] = {}
        hashes: dict[int, str | None] = {}
        self.metrics: dict[str, Metric] = {}
        for name, metric in metrics.items():
            notes, shared = [], {}
            for option, space in spaces(metric).items():
                weights = hashes[id(space)] if id(space) in hashes else hashes.setdefault(id(space), hash_of(space))
                notes.append(described(space, weights))
                if weights is not None:  # without a network it costs less to compute than to look up
                    memory = self._memories.setdefault((_key(space), weights), _SpaceFeatures(space))
                    memory.users.add(name)
                    shared[option] = memory.space
            self._notes[name] = tuple(dict.fromkeys(notes))
            self.metrics[name] = with_fields(metric, shared) if shared else metric

    def show(self, samples: Samples | None) -> None:
        """Forget the last batch, and begin another one if there is one."""
        for memory in self._memories.values():
            memory.batch = [] if samples is None else [(x, []) for x in (samples.x, samples.denoised)]

    def done(self, metric: str) -> tuple[str, ...]:
        """A metric has finished: what it alone could have asked for is forgotten. Returns what its spaces say."""
        for memory in self._memories.values():
            memory.users.discard(metric)
            if not memory.users:
                memory.rows.clear()
        return self._notes[metric]


class _SpaceFeatures:
    """What one space found: of the batch at hand, and of points of data sets by their SHA-256."""

    def __init__(self, space: FeatureSpace) -> None:
        self.users: set[str] = set()
        self.batch: list[tuple[Tensor, list[Tensor]]] = []
        self.rows: dict[bytes, Tensor] = {}
        self.space = wrap(space, self.features)

    def features(self, space: FeatureSpace, x: State) -> Tensor:
        for seen, found in self.batch:
            if x is seen:
                if not found:
                    found.append(space.features(x))
                return found[0]
        if len(self.users) < 2 and not self.rows:
            return space.features(x)
        names = _names(x)
        new = [i for i, name in enumerate(names) if name not in self.rows]
        rows: dict[bytes, Tensor] = {}
        if new:
            fresh = space.features(x if len(new) == len(x) else x[torch.tensor(new, device=x.device)])
            rows = {names[i]: row for i, row in zip(new, fresh.detach().cpu(), strict=True)}
            if len(self.users) > 1:
                self.rows |= rows
            if len(new) == len(x):
                return fresh
        return torch.stack([rows[name] if name in rows else self.rows[name] for name in names]).to(x.device)


def spaces(metric: Metric) -> dict[str, FeatureSpace]:
    """The feature spaces among a metric's fields, by the field's name."""
    given = {field.name: getattr(metric, field.name) for field in attrs.fields(type(metric))}
    return {name: value for name, value in given.items() if isinstance(value, FeatureSpace)}


def described(space: FeatureSpace, weights: str | None) -> str:
    """What a reader of a score must know of the space: how samples were prepared, and by which weights it looked."""
    prepared = space.preprocessing or "samples prepared in a way that it does not state"
    return f"{type(space).__name__} looks at {prepared}" + (f"; weights {weights[:12]}." if weights else ".")


def _key(value: Any) -> Any:
    """What is equal of values that do the same; tensors and networks are compared by their hash instead."""
    value = unwrap(value)
    if isinstance(value, Component):
        return type(value), tuple(_key(getattr(value, f.name)) for f in attrs.fields(type(value)) if f.init)
    if isinstance(value, tuple | list):
        return tuple(map(_key, value))
    if isinstance(value, nn.Module):
        return str(value)
    if isinstance(value, Tensor):
        return tuple(value.shape)
    return value if isinstance(value, str | int | float | bool | None) else id(value)


def _names(x: Tensor) -> list[bytes]:
    rows = x.detach().cpu().contiguous().flatten(1).view(torch.uint8).numpy()
    kind = f"{x.dtype}{tuple(x.shape[1:])}".encode()
    return [hashlib.sha256(kind + row.tobytes()).digest() for row in rows]
