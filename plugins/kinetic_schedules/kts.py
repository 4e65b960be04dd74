"""Kinetic Trajectory Shaping."""

from __future__ import annotations

import math
from typing import final

import attrs
import torch
from torch import Tensor

from kinetic import Schedule, options
from kinetic.errors import OptionError
from kinetic.types import PerSample, State

_SHAPES = ("linear", "constant", "exponential")


@final
@attrs.frozen(eq=False)
class KTS(Schedule):
    """Kinetic Trajectory Shaping: an early launch and a late soft landing, without training.

    For t < tau the gain is 1 + launch(s) with s = 1 - t/tau:
        linear alpha s;  constant alpha;  exponential alpha (e^{ks} - 1)/(e^k - 1).
    For t >= tau it is 1 - landing(r) with r = (t - tau)/(1 - tau):
        exponential beta (e^{kr} - 1);  linear beta r;  constant beta.
    The exponential landing is *not* divided by e^k - 1: at t = 1 the gain is 1 - beta (e^k - 1), 1 - 19.09 beta for
    k = 3. Options for which the gain would become negative are refused.

    The gain is no change of time, it moves the end of the path: with mean gain I < 1 about (1 - I) x0 is left over.
    Every arm reports I (`gain`) and what is left (`noise_left`).

    Source: Li et al., A Kinetic Energy Perspective of Flow Matching, arXiv 2602.07928, and its reference code
    (ziyunli-2023/KPE-KTS). The defaults alpha = beta = 0.01 are the paper's balanced setting.
    """

    alpha: float = options.number(0.01, at_least=0, doc="strength of the launch")
    beta: float = options.number(0.01, at_least=0, doc="strength of the landing")
    tau: float = options.number(0.6, above=0, below=1, doc="time at which the launch ends and the landing begins")
    k: float = options.number(3.0, above=0, at_most=88, doc="steepness of the exponential shapes")  # e^88 is a float32
    launch: str = options.choice(*_SHAPES, default="linear", doc="shape of the launch")
    landing: str = options.choice(*_SHAPES, default="exponential", doc="shape of the landing")

    def __attrs_post_init__(self) -> None:
        steepest = math.expm1(self.k) if self.landing == "exponential" else 1.0
        if self.beta * steepest > 1:
            why = f" = 1/(e^k - 1) with k = {self.k:g}" if self.landing == "exponential" else ""
            raise OptionError(
                f"'beta' must be <= {1 / steepest:.6g}{why} for a landing that is {self.landing}, "
                f"or the gain becomes negative and the dynamics reverses: {self.beta}"
            )

    @property
    def breakpoints(self) -> tuple[float, ...]:
        return (self.tau,)

    def gain(self, t: PerSample, x: State, v: State) -> PerSample:
        s, r = 1 - t / self.tau, (t - self.tau) / (1 - self.tau)
        # compared in t's own dtype: float32(0.7) is not the double 0.7
        late = t >= torch.tensor(self.tau, dtype=t.dtype, device=t.device)
        return torch.where(late, 1 - self._landing(r), 1 + self._launch(s))

    def _launch(self, s: Tensor) -> Tensor:
        if self.launch == "linear":
            return self.alpha * s
        if self.launch == "exponential":
            return self.alpha * torch.expm1(self.k * s) / math.expm1(self.k)
        return torch.full_like(s, self.alpha)

    def _landing(self, r: Tensor) -> Tensor:
        if self.landing == "exponential":
            return self.beta * torch.expm1(self.k * r)
        if self.landing == "linear":
            return self.beta * r
        return torch.full_like(r, self.beta)
