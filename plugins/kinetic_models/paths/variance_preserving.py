"""The chain of denoising diffusion models, between its steps as well."""

from __future__ import annotations

import functools
from typing import final

import attrs
import torch
from torch import Tensor

from kinetic.types import PerSample
from kinetic_models.paths.path import Path


@final
@attrs.frozen
class VariancePreserving(Path):
    """y = a x1 + b e with a^2 + b^2 = 1 and a^2 = prod (1 - beta), beta rising evenly; the model is told the step.

    Steps count from 0 (data). Between two of them log(a / b) is interpolated. Where steps are `whole`, the model is
    asked at the nearest one: told it, shown y with its a and b, and its answer converted by them.

    Source: Ho et al., Denoising Diffusion Probabilistic Models, arXiv 2006.11239; Song et al., Denoising Diffusion
    Implicit Models, arXiv 2010.02502, whose ODE this is.
    """

    beta_min: float
    beta_max: float
    steps: int
    whole: bool

    @property
    def words(self) -> str:
        betas = f"{self.steps} betas from {self.beta_min:g} to {self.beta_max:g}"
        return f"x = y / (a + b), t = a / (a + b), a^2 = prod (1 - beta), b^2 = 1 - a^2, {betas}"

    def held(self, t: PerSample) -> PerSample:
        if not self.whole:
            return t
        ratio = _ratios(self.beta_min, self.beta_max, self.steps).to(t.device)[self.time(t).long()]
        return ratio.sigmoid().to(t.dtype)

    def time(self, t: PerSample) -> PerSample:
        ratios = _ratios(self.beta_min, self.beta_max, self.steps).to(t.device)  # falling with the step
        asked = (t.double() / (1 - t.double())).log()
        above = torch.searchsorted(-ratios, -asked).clamp(1, self.steps - 1)
        low, high = ratios[above - 1], ratios[above]
        step = above - 1 + ((low - asked) / (low - high)).clamp(0, 1)
        return (step.round() if self.whole else step).to(t.dtype)

    def size(self, t: PerSample) -> PerSample:
        return 1 / (t**2 + (1 - t) ** 2).sqrt()

    @property
    def ends(self) -> tuple[float, float]:
        ratios = _ratios(self.beta_min, self.beta_max, self.steps).exp()
        return tuple(float(r / (1 + r)) for r in (ratios[-1], ratios[0]))  # type: ignore[return-value]


@functools.cache
def _ratios(beta_min: float, beta_max: float, steps: int) -> Tensor:
    """log(a / b) of every step, float64 `(steps,)`."""
    kept = (1 - torch.linspace(beta_min, beta_max, steps, dtype=torch.float64)).cumprod(0)
    return 0.5 * (kept / (1 - kept)).log()
