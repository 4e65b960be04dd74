"""The expanded square ||a||^2 - 2 <a, b> + ||b||^2: what goes into it, and how far rounding takes it."""

from __future__ import annotations

import math

import attrs
import torch
from torch import Tensor

PAIRS = 2**16
"""Elements looked at at a time where nothing is multiplied, so that they stay in the cache."""

CROWDED = 32
"""With more than this share (1/32) of pairs left in doubt, products are made again in float64."""

_DEPTH = 2048  # features summed in one product: the rounding grows with them


class Scratch:
    """Memory used again for every block: what is new to the process costs as much as the arithmetic that fills it."""

    def __init__(self) -> None:
        self.kept: dict[str, Tensor] = {}

    def buffer(self, name: str, rows: int, columns: int, like: Tensor) -> Tensor:
        """A tensor `(rows, columns)` of the type and on the device of another, with anything in it."""
        kept = self.kept.get(name)
        if kept is None or kept.dtype != like.dtype or kept.numel() < rows * columns:
            kept = self.kept[name] = like.new_empty(rows * columns)
        return kept[: rows * columns].view(rows, columns)


@attrs.frozen(eq=False)
class Centred:
    """Points `(n, f)`; the same about a centre, in the type of products; their squared norms, float64 `(n,)`."""

    points: Tensor
    about: Tensor
    squares: Tensor

    @classmethod
    def of(cls, points: Tensor, centre: Tensor, dtype: torch.dtype, scratch: Scratch, name: str) -> Centred:
        """A few at a time, so that they are still in the cache when their norms are summed, in `dtype`.

        `about` lies in the room of that name until something else is put there.
        """
        centre = centre.to(dtype)
        about = scratch.buffer(name, len(points), points.shape[1], centre)
        size = max(1, PAIRS // max(1, points.shape[1]))
        norms = [
            torch.linalg.vector_norm(torch.sub(some.to(dtype), centre, out=room), dim=1)
            for some, room in zip(points.split(size), about.split(size), strict=True)
        ]
        return cls(points, about, torch.cat(norms).double().square_())


def products(a: Centred, b: Centred, scratch: Scratch) -> Tensor:
    """||b||^2 - 2 <a, b> of every pair `(m, n)`, in the type of `about`, in the room of that name."""
    out = scratch.buffer("products", len(a.about), len(b.about), a.about)
    out.copy_(b.squares)
    for left, right in zip(a.about.split(_DEPTH, 1), b.about.split(_DEPTH, 1), strict=True):
        out.addmm_(left, right.T, alpha=-2)
    return out


def error(reach: Tensor, f: int, dtype: torch.dtype) -> Tensor:
    """How far ||a||^2 - 2 <a, b> + ||b||^2 may be from ||a - b||^2, for f features about a centre, computed in `dtype`.

    A sum of n terms, in whatever order, is off by less than gamma_n = n u / (1 - n u) times the sum of their sizes,
    here <= reach^2. A term is rounded in a product of `_DEPTH` features, once more for each such product, and a few
    times in centring, norm and comparison; norms are sums over all features. Underflow costs the smallest normal number
    for each feature.

    Args:
        reach: ||a|| + ||b||, or more.
        f: how many features.
        dtype: of products and norms.
    Source: Higham, Accuracy and Stability of Numerical Algorithms (2002), section 3.1.
    """
    rounding = gamma(min(f, _DEPTH) + -(-f // _DEPTH), dtype) + gamma(f, dtype)
    return rounding * reach.square() + 4 * f * torch.finfo(dtype).tiny * (1 + reach)


def gamma(n: int, dtype: torch.dtype) -> float:
    """gamma_n, with 12 roundings to spare; infinite where nothing is known of so long a sum."""
    rounded = (n + 12) * torch.finfo(dtype).eps / 2
    return rounded / (1 - rounded) if rounded < 1 else math.inf
