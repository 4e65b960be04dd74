"""The noise levels of EDM."""

from __future__ import annotations

from typing import final

import attrs

from kinetic import TimeGrid, options
from kinetic.errors import OptionError


@final
@attrs.frozen(eq=False)
class EDMRho(TimeGrid):
    """The noise levels of EDM, as times of a flow.

    EDM adds noise of level sigma to data: x + sigma e. A flow's x_t = (1 - t) x0 + t x1, divided by t, is that with
        sigma = (1 - t)/t,  t = 1/(1 + sigma).
    The levels are equal steps of sigma^(1/rho),
        sigma_k = (sigma_max^(1/rho) + k/(N - 1) (sigma_min^(1/rho) - sigma_max^(1/rho)))^rho,  k = 0 ... N - 1,
    and sigma_N = 0. Two ends are those of a flow: sigma_N is t = 1, and since a flow starts from pure noise, where
    sigma is infinite, t_0 is 0 in place of 1/(1 + sigma_max), 0.0123 for 80. So there are N velocities as in EDM, and
    the last but one time is 1/(1 + sigma_min).

    Source: Karras et al., Elucidating the Design Space of Diffusion-Based Generative Models, arXiv 2206.00364,
    equation 5, with the defaults of its table 1.
    """

    rho: float = options.number(7.0, at_least=1, doc="1 is uniform in sigma; larger, shorter steps at low noise")
    sigma_min: float = options.number(0.002, above=0, doc="the last level before 0")
    sigma_max: float = options.number(80.0, above=0, doc="the first level, before the start is put at t = 0")

    def __attrs_post_init__(self) -> None:
        if self.sigma_max <= self.sigma_min:
            raise OptionError(f"'sigma_max' must be > 'sigma_min' = {self.sigma_min:g}: {self.sigma_max:g}")

    def times(self, steps: int) -> list[float]:
        high, low = self.sigma_max ** (1 / self.rho), self.sigma_min ** (1 / self.rho)
        levels = [(high + k / (steps - 1) * (low - high)) ** self.rho for k in range(1, steps)]
        return [0.0, *(1 / (1 + sigma) for sigma in levels), 1.0]
