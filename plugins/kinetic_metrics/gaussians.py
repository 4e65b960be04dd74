"""The Frechet distance between two Gaussians."""

from __future__ import annotations

import torch
from torch import Tensor

from kinetic.errors import OptionError


def moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean `(f,)` and covariance `(f, f)` with n - 1, float64, of features `(n, f)`, n >= 2."""
    if len(features) < 2:
        raise OptionError(f"a covariance needs 2 samples or more: {len(features)}")
    x = features.double()
    mean = x.mean(0)
    x = x - mean
    return mean, x.T @ x / (len(x) - 1)


def frechet_distance(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> float:
    """||m1 - m2||^2 + Tr(S1 + S2 - 2 (S1 S2)^{1/2}), means `(f,)` and covariances `(f, f)`, in float64.

    With S1 = L L^T the eigenvalues of S1 S2 are those of the symmetric L^T S2 L, so the trace of the root is the sum of
    their roots. L is Cholesky's where S1 is positive definite, else V sqrt(lambda) from its eigenvalues, negative
    rounding set to 0. Agrees with pytorch-fid, without its matrix square root.

    Source: Dowson & Landau, The Frechet distance between multivariate normal distributions (1982).
    """
    mean1, cov1, mean2, cov2 = (value.double() for value in (mean1, cov1, mean2, cov2))
    if not all(bool(torch.isfinite(value).all()) for value in (mean1, cov1, mean2, cov2)):
        raise OptionError("means and covariances must be finite: the features hold NaN or infinity")
    root, failed = torch.linalg.cholesky_ex(cov1)
    if int(failed):
        values, vectors = torch.linalg.eigh(cov1)
        root = vectors * values.clamp_min(0).sqrt()
    roots = torch.linalg.eigvalsh(root.T @ cov2 @ root).clamp_min(0).sqrt()
    return float((mean1 - mean2).square().sum() + cov1.trace() + cov2.trace() - 2 * roots.sum())
