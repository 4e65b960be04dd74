"""The line between noise and data."""

from __future__ import annotations

from typing import final

import attrs
import torch

from kinetic.types import PerSample
from kinetic_models.paths.path import Path


@final
@attrs.frozen
class Linear(Path):
    """y = t x1 + (1 - t) e, kinetic's own: s = t where the model's time 0 is noise, s = 1 - t where it is data.

    With `steps` the model knows whole ones alone, from 0 to that many.
    """

    zero_is_noise: bool
    steps: int | None = None

    @property
    def words(self) -> str:
        return "s = t" if self.zero_is_noise else "s = 1 - t"

    def held(self, t: PerSample) -> PerSample:
        return t if self.steps is None else (t * self.steps).round() / self.steps

    def time(self, t: PerSample) -> PerSample:
        return t if self.zero_is_noise else 1 - t

    def size(self, t: PerSample) -> PerSample:
        return torch.ones_like(t)

    @property
    def ends(self) -> tuple[float, float]:
        return 0.0, 1.0
