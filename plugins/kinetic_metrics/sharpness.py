"""How sharp an image is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import attrs
from torch import Tensor, nn

from kinetic import Column, SampleMetric, Samples
from kinetic.types import State
from kinetic_metrics.images import images


@final
@attrs.frozen(eq=False)
class Sharpness(SampleMetric):
    """The variance of the Laplacian of each image: var over pixels of I(y-1,x) + I(y+1,x) + I(y,x-1) + I(y,x+1) - 4 I.

    Edges are mirrored about the outermost pixel, as OpenCV does; of several channels it is the mean of their variances.
    In squared data units, so that images in [-1, 1] give 1/127.5^2 of what images in [0, 255] do. 0 for a flat image.

    Column and value: `sharpness`, and its mean. Noise is sharp: sigma^2 of white noise adds 20 sigma^2. Read it beside
    `residual-noise`.

    Source: Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy, ICPR (2000).
    """

    described = (Column("sharpness", "Variance of the Laplacian; noise raises it.", unit="squared data units"),)

    def columns(self, samples: Samples) -> dict[str, Tensor]:
        return {"sharpness": laplacian_variance(samples.x)}

    def notes(self, columns: Mapping[str, Tensor]) -> tuple[str, ...]:
        n = len(columns["sharpness"])
        return (f"Variance of the Laplacian of {n} images, in squared data units; noise raises it.",)


def laplacian_variance(x: State) -> Tensor:
    """The mean over channels of the variance of the Laplacian, float64 `(m,)`, of images `(m, c, h, w)`."""
    y = nn.functional.pad(images(x), (1, 1, 1, 1), mode="reflect")
    around = y[..., :-2, 1:-1] + y[..., 2:, 1:-1] + y[..., 1:-1, :-2] + y[..., 1:-1, 2:]
    return (around - 4 * y[..., 1:-1, 1:-1]).flatten(2).var(2, correction=0).mean(1)
