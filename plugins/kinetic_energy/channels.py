"""Energy by channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import attrs
import torch
from torch import Tensor

from kinetic import Column, EnergyMeter, Step, options
from kinetic.errors import ShapeError
from kinetic.types import State


@final
@attrs.frozen(eq=False)
class Channels(EnergyMeter):
    """Kinetic Path Energy of each channel of a sample, the entries of its first axis; together they are `kpe`.

    A channel is a colour of an image, a plane of a latent, or a coordinate of a vector. How many there are is to be
    said, and samples with another number are refused before any is drawn.

    Columns `kpe_channel_0` ... `kpe_channel_{C-1}`, each `(n,)` float64, 1/2 int ||v_c||^2 dt, in squared data units.
    """

    channels: int = options.integer(3, at_least=1, at_most=10_000, doc="number of channels C of a sample")

    @property
    def described(self) -> tuple[Column, ...]:
        return tuple(
            Column(name, f"The energy of channel {c}, counted from 0.", "energy", "squared data units", main=False)
            for c, name in enumerate(self._names)
        )

    @property
    def _names(self) -> list[str]:
        return [f"kpe_channel_{c}" for c in range(self.channels)]

    def adds(self, step: Step) -> Mapping[str, Tensor]:
        shape = tuple(step.x0.shape[1:])
        if shape[:1] != (self.channels,):
            raise ShapeError(
                f"'channels' must be the length of the first axis of a sample of shape {shape}: {self.channels}"
            )
        elements = step.x0.shape[2:].numel()
        total = step.dt.new_zeros(len(step.dt), self.channels)
        for stage in step.stages:
            if stage.weight:
                norms = torch.linalg.vector_norm(stage.v.double().reshape(*total.shape, elements), dim=2)
                total = total + 0.5 * stage.weight * norms.square()
        return {"power": total * step.dt[:, None]}

    def columns(self, sums: Mapping[str, Tensor], x0: State, x1: State) -> Mapping[str, Tensor]:
        return dict(zip(self._names, sums["power"].unbind(1), strict=True))
