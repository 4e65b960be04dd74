"""How much noise is left in an image."""

from __future__ import annotations

from typing import final

import attrs
from torch import Tensor

from kinetic import Column, Samples, Score, TableMetric
from kinetic.types import State
from kinetic_metrics.images import images

_QUARTILE = 0.6745  # of the standard normal: the median of |z|
_FEW = 100  # details, below which the estimate itself varies by more than 12%


@final
@attrs.frozen(eq=False)
class ResidualNoise(TableMetric):
    """The standard deviation of white noise in each image, sigma = median |d| / 0.6745.

    d = (I(2y,2x) - I(2y,2x+1) - I(2y+1,2x) + I(2y+1,2x+1)) / 2 are the diagonal details of the one-level Haar wavelet,
    which are N(0, sigma^2) where the image is flat or a plane and the noise is white. The median ignores the few blocks
    with corners. An odd last row or column is left out; of several channels it is the mean of their sigmas.

    Column and value: `sigma`, in data units, and its mean. The standard error of one sigma is 1.17 sigma / sqrt(h w /
    4). Fine texture counts as noise, and an image with more than half of its details exactly 0 has sigma 0.

    Source: Donoho & Johnstone, Ideal spatial adaptation by wavelet shrinkage, Biometrika 81 (1994).
    """

    described = (Column("sigma", "Standard deviation of white noise in an image.", unit="data units", better="lower"),)

    def rows(self, samples: Samples) -> dict[str, Tensor]:
        d = diagonal_details(samples.x)
        return {"sigma": noise_level(d), "details": d.new_full((len(d),), d.shape[2])}

    def judge(self, ids: Tensor, rows: dict[str, Tensor]) -> Score:
        details = int(rows.pop("details")[0])
        notes = [f"Noise of {len(ids)} images by the median of {details} diagonal Haar details each, in data units."]
        if details < _FEW:
            notes.append(f"The sigma of one image of so few details has a standard error of {117 / details**0.5:.0f}%.")
        return Score(self.means(rows), ids, rows, tuple(notes))


def diagonal_details(x: State) -> Tensor:
    """Diagonal details of the one-level Haar wavelet, float64 `(m, c, k)` with k = [h/2] [w/2], of `(m, c, h, w)`."""
    y = images(x)
    y = y[..., : y.shape[2] // 2 * 2, : y.shape[3] // 2 * 2]
    return ((y[..., ::2, ::2] - y[..., ::2, 1::2] - y[..., 1::2, ::2] + y[..., 1::2, 1::2]) / 2).flatten(2)


def noise_level(details: Tensor) -> Tensor:
    """median |d| / 0.6745 of details `(m, c, k)`, the mean over channels, `(m,)`."""
    order = details.abs().sort(2).values
    k = order.shape[2]
    return ((order[..., (k - 1) // 2] + order[..., k // 2]) / 2).mean(1) / _QUARTILE
