"""The chain of denoising diffusion models, between its steps as well."""

from __future__ import annotations

import functools
import math
from typing import final

import attrs
import torch
from torch import Tensor

from kinetic.types import PerSample
from kinetic_models.paths.path import Path

_OFFSET, _MOST = 0.008, 0.999  # of the cosine's betas


@final
@attrs.frozen
class VariancePreserving(Path):
    """y = a x1 + b e with a^2 + b^2 = 1 and a^2 = prod (1 - beta); the model is told the step.

    `betas`: linear, rising evenly from `beta_min` to `beta_max`; scaled-linear, their roots rising so (Stable
    Diffusion); cosine, a^2 = cos^2(pi/2 (u + 0.008) / 1.008) at u = step / steps, each beta at most 0.999.

    Steps count from 0 (data). Between two of them log(a / b) is interpolated. Where steps are `whole`, the model is
    asked at the nearest one: told it, shown y with its a and b, and its answer converted by them.

    Source: Ho et al., Denoising Diffusion Probabilistic Models, arXiv 2006.11239; Song et al., Denoising Diffusion
    Implicit Models, arXiv 2010.02502, whose ODE this is; Rombach et al., arXiv 2112.10752 (scaled-linear); Nichol &
    Dhariwal, arXiv 2102.09672 (cosine).
    """

    betas: str
    beta_min: float | None
    beta_max: float | None
    steps: int
    whole: bool

    @property
    def words(self) -> str:
        ends = "" if self.betas == "cosine" else f" from {self.beta_min:g} to {self.beta_max:g}"
        kind = "" if self.betas == "linear" else f", {self.betas}"
        betas = f"{self.steps} betas{ends}{kind}"
        return f"x = y / (a + b), t = a / (a + b), a^2 = prod (1 - beta), b^2 = 1 - a^2, {betas}"

    def held(self, t: PerSample) -> PerSample:
        if not self.whole:
            return t
        ratio = self._ratios.to(t.device)[self.time(t).long()]
        return ratio.sigmoid().to(t.dtype)

    def time(self, t: PerSample) -> PerSample:
        ratios = self._ratios.to(t.device)  # falling with the step
        asked = (t.double() / (1 - t.double())).log()
        above = torch.searchsorted(-ratios, -asked).clamp(1, self.steps - 1)
        low, high = ratios[above - 1], ratios[above]
        step = above - 1 + ((low - asked) / (low - high)).clamp(0, 1)
        return (step.round() if self.whole else step).to(t.dtype)

    def size(self, t: PerSample) -> PerSample:
        return 1 / (t**2 + (1 - t) ** 2).sqrt()

    @property
    def ends(self) -> tuple[float, float]:
        ends = self._ratios[[-1, 0]].sigmoid()
        return float(ends[0]), float(ends[1])

    @property
    def _ratios(self) -> Tensor:
        return _ratios(self.betas, self.beta_min or 0.0, self.beta_max or 0.0, self.steps)


@functools.cache
def _ratios(betas: str, beta_min: float, beta_max: float, steps: int) -> Tensor:
    """log(a / b) of every step, float64 `(steps,)`."""
    kept = (1 - BETAS[betas](beta_min, beta_max, steps)).cumprod(0)
    return 0.5 * (kept / (1 - kept)).log()


def _linear(beta_min: float, beta_max: float, steps: int) -> Tensor:
    return torch.linspace(beta_min, beta_max, steps, dtype=torch.float64)


def _scaled_linear(beta_min: float, beta_max: float, steps: int) -> Tensor:
    return _linear(beta_min**0.5, beta_max**0.5, steps) ** 2


def _cosine(beta_min: float, beta_max: float, steps: int) -> Tensor:
    u = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    kept = ((u + _OFFSET) / (1 + _OFFSET) * math.pi / 2).cos() ** 2
    return (1 - kept[1:] / kept[:-1]).clamp_max(_MOST)


BETAS = {"linear": _linear, "scaled-linear": _scaled_linear, "cosine": _cosine}
"""`{word: function}` of the first beta, the last one and their number, float64 `(steps,)`."""
