"""Noise of a growing scale on top of data, its scale the time."""

from __future__ import annotations

from typing import final

import attrs

from kinetic.types import PerSample
from kinetic_models.paths.path import Path


@final
@attrs.frozen
class Sigma(Path):
    """y = x1 + sigma e, the model told sigma itself: sigma = (1 - t) / t.

    Source: Karras et al., Elucidating the Design Space of Diffusion-Based Generative Models, arXiv 2206.00364.
    """

    sigma_min: float
    sigma_max: float

    @property
    def words(self) -> str:
        return f"x = y / (1 + sigma), t = 1 / (1 + sigma), sigma from {self.sigma_max:g} to {self.sigma_min:g}"

    def time(self, t: PerSample) -> PerSample:
        return (1 - t) / t

    def size(self, t: PerSample) -> PerSample:
        return 1 / t

    @property
    def ends(self) -> tuple[float, float]:
        return 1 / (1 + self.sigma_max), 1 / (1 + self.sigma_min)
