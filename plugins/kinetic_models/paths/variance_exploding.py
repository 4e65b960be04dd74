"""Noise whose scale grows geometrically with time."""

from __future__ import annotations

import math
from typing import final

import attrs

from kinetic.types import PerSample
from kinetic_models.paths.path import Path


@final
@attrs.frozen
class VarianceExploding(Path):
    """y = x1 + sigma e with sigma = sigma_min (sigma_max / sigma_min)^s, the model told s in [0, 1].

    Source: Song et al., Score-Based Generative Modeling through Stochastic Differential Equations, arXiv 2011.13456.
    """

    sigma_min: float
    sigma_max: float

    @property
    def words(self) -> str:
        sigma = f"{self.sigma_min:g} ({self.sigma_max:g} / {self.sigma_min:g})^s"
        return f"x = y / (1 + sigma), t = 1 / (1 + sigma), sigma = {sigma}"

    def time(self, t: PerSample) -> PerSample:
        return ((1 - t) / t / self.sigma_min).log() / math.log(self.sigma_max / self.sigma_min)

    def size(self, t: PerSample) -> PerSample:
        return 1 / t

    @property
    def ends(self) -> tuple[float, float]:
        return 1 / (1 + self.sigma_max), 1 / (1 + self.sigma_min)
