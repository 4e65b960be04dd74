"""Products with the triangular factor of a covariance, without its zeros."""

from __future__ import annotations

import torch
from torch import Tensor

_PANEL = 256  # columns of a product at a time
_EPS = torch.finfo(torch.float64).eps


def full_rank(cov: Tensor) -> Tensor | None:
    """Cholesky's factor, lower, or None where the covariance is singular to rounding."""
    lower, failed = torch.linalg.cholesky_ex(cov)
    rounding = len(cov) * _EPS
    regular = not int(failed) and bool((lower.diagonal().square() > rounding * cov.diagonal()).all())
    return lower if regular else None


def congruent(lower: Tensor, cov: Tensor) -> Tensor:
    """The lower triangle of L^T S L, L lower triangular, by panels that leave out its zeros: a third of the work."""
    product = torch.zeros_like(cov)
    for start in range(0, len(cov), _PANEL):
        panel = cov[start:, start:] @ lower[start:, start : start + _PANEL]
        product[start:, start : start + _PANEL] = lower[start:, start:].mT @ panel
    return product


def lower_product(lower: Tensor, matrix: Tensor) -> Tensor:
    """L A, L lower triangular, by panels that leave out its zeros."""
    product = torch.empty_like(matrix)
    for end in range(_PANEL, len(lower) + _PANEL, _PANEL):
        torch.mm(lower[end - _PANEL : end, :end], matrix[:end], out=product[end - _PANEL : end])
    return product
