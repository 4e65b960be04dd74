"""Energy by spatial frequency."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import final

import attrs
import torch
from torch import Tensor

from kinetic import Column, EnergyMeter, Step, options
from kinetic.errors import ShapeError
from kinetic.types import State

_NYQUIST = 0.5  # cycles per element along one axis
_MOST = 2  # axes that are transformed


@final
@attrs.frozen(eq=False)
class Bands(EnergyMeter):
    """Kinetic Path Energy of each band of spatial frequency: coarse shape first, fine grain last.

    v is taken apart by the discrete Fourier transform along the last two axes of a sample (height and width), or along
    the only one of a vector. With the unitary transform F the energy of band j is
        1/2 int sum_{f in band j} |(F v)_f|^2 dt,
    and by Parseval the bands add up to `kpe`. A frequency f = (f_y^2 + f_x^2)^(1/2), in cycles per element, goes up to
    1/2 along an axis and 2^(-1/2) along the diagonal; bands are of equal width, and the mean over a sample is in the
    first. All channels are summed.

    Columns `kpe_band_1` ... `kpe_band_K`, each `(n,)` float64, in squared data units.
    """

    bands: int = options.integer(4, at_least=1, at_most=1000, doc="number of bands K")

    @property
    def described(self) -> tuple[Column, ...]:
        edges = [f"{k / self.bands:.3g}" for k in range(self.bands + 1)]
        return tuple(
            Column(
                name,
                f"The energy of spatial frequencies from {low} to {high} of the highest there is.",
                "energy",
                "squared data units",
                main=False,
            )
            for name, low, high in zip(self._names, edges, edges[1:], strict=False)
        )

    @property
    def _names(self) -> list[str]:
        return [f"kpe_band_{k + 1}" for k in range(self.bands)]

    def adds(self, step: Step) -> Mapping[str, Tensor]:
        shape = step.x0.shape[1:]
        if not shape:
            raise ShapeError("the meter of spatial frequencies takes samples of one axis or more: these are numbers")
        axes = shape[-_MOST:]
        planes = shape[:-_MOST].numel()
        power = step.dt.new_zeros(len(step.dt), axes.numel())
        for stage in step.stages:
            if stage.weight and len(step.dt):  # a transform of nothing is an error of MKL
                amplitude = torch.fft.fftn(stage.v.double(), dim=tuple(range(-len(axes), 0)), norm="ortho").abs()
                squares = amplitude.square().reshape(len(step.dt), planes, axes.numel()).sum(1)
                power = power + 0.5 * stage.weight * squares
        band = _band(axes, self.bands, power.device)
        by_band = [(power * (band == k)).sum(1) for k in range(self.bands)]  # on a GPU too in one order
        return {"power": torch.stack(by_band, 1) * step.dt[:, None]}

    def columns(self, sums: Mapping[str, Tensor], x0: State, x1: State) -> Mapping[str, Tensor]:
        return dict(zip(self._names, sums["power"].unbind(1), strict=True))


def _band(axes: torch.Size, bands: int, device: torch.device) -> Tensor:
    """The band of each frequency of a transform along these axes, int64, flat."""
    squared = torch.zeros((), dtype=torch.float64, device=device)
    for size in axes:
        frequencies = torch.fft.fftfreq(size, dtype=torch.float64, device=device)
        squared = squared[..., None] + frequencies.square()
    highest = _NYQUIST * math.sqrt(len(axes))
    return (squared.sqrt().flatten() * (bands / highest)).long().clamp_max(bands - 1)
