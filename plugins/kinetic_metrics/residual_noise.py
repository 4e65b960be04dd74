"""How much noise is left in an image."""

from __future__ import annotations

from typing import final

import attrs
from torch import Tensor

from kinetic import Metric, Samples, SampleTable, Score
from kinetic.types import State
from kinetic_metrics.sample_table import estimates, images, judged, listed

_QUARTILE = 0.6745  # of the standard normal: the median of |z|
_FEW = 100  # details, below which the estimate itself varies by more than 12%


@final
@attrs.frozen(eq=False)
class ResidualNoise(Metric):
    """The standard deviation of white noise in each image, sigma = median |d| / 0.6745.

    d = (I(2y,2x) - I(2y,2x+1) - I(2y+1,2x) + I(2y+1,2x+1)) / 2 are the diagonal details of the one-level Haar wavelet,
    which are N(0, sigma^2) where the image is flat or a plane and the noise is white. The median ignores the few blocks
    with corners. An odd last row or column is left out; of several channels it is the mean of their sigmas.

    Column and value: `sigma`, in data units, and its mean; with `_denoised`, on the denoised samples (see `Samples`).
    The standard error of one sigma is 1.17 sigma / sqrt(h w / 4). Fine texture counts as noise, and an image with more
    than half of its details exactly 0 has sigma 0.

    Source: Donoho & Johnstone, Ideal spatial adaptation by wavelet shrinkage, Biometrika 81 (1994).
    """

    def begin(self) -> SampleTable:
        return SampleTable()

    def observe(self, state: SampleTable, samples: Samples) -> SampleTable:
        def judge(x: State) -> dict[str, Tensor]:
            d = diagonal_details(x)
            return {"sigma": noise_level(d), "details": d.new_full((len(d),), d.shape[2])}

        return judged(state, samples, judge)

    def merge(self, a: SampleTable, b: SampleTable) -> SampleTable:
        return a.concat(b)

    def finish(self, state: SampleTable) -> Score:
        ids, columns = listed(state)
        details, _ = int(columns.pop("details")[0]), columns.pop("details_denoised")
        notes = [f"Noise of {len(ids)} images by the median of {details} diagonal Haar details each, in data units."]
        if details < _FEW:
            notes.append(f"The sigma of one image of so few details has a standard error of {117 / details**0.5:.0f}%.")
        return Score(estimates(columns), ids, columns, tuple(notes))


def diagonal_details(x: State) -> Tensor:
    """Diagonal details of the one-level Haar wavelet, float64 `(m, c, k)` with k = [h/2] [w/2], of `(m, c, h, w)`.

    Raises:
        ShapeError: no images, or images of fewer than 2 x 2 pixels.
    """
    y = images(x, 2)
    y = y[..., : y.shape[2] // 2 * 2, : y.shape[3] // 2 * 2]
    return ((y[..., ::2, ::2] - y[..., ::2, 1::2] - y[..., 1::2, ::2] + y[..., 1::2, 1::2]) / 2).flatten(2)


def noise_level(details: Tensor) -> Tensor:
    """median |d| / 0.6745 of details `(m, c, k)`, the mean over channels, `(m,)`."""
    order = details.abs().sort(2).values
    k = order.shape[2]
    return ((order[..., (k - 1) // 2] + order[..., k // 2]) / 2).mean(1) / _QUARTILE
