"""What scores are compared with."""

import inspect

import numpy as np
import pytest
from scipy import linalg


def transcribed(mu1, sigma1, mu2, sigma2, eps=1e-6):
    """`calculate_frechet_distance` of pytorch-fid 0.3.0, line by line; only sqrtm is called as SciPy 1.18 allows."""
    diff = mu1 - mu2
    covmean = linalg.sqrtm(sigma1.dot(sigma2))
    if not np.isfinite(covmean).all():
        offset = np.eye(sigma1.shape[0]) * eps
        covmean = linalg.sqrtm((sigma1 + offset).dot(sigma2 + offset))
    if np.iscomplexobj(covmean):
        assert np.allclose(np.diagonal(covmean).imag, 0, atol=1e-3)
        covmean = covmean.real
    return diff.dot(diff) + np.trace(sigma1) + np.trace(sigma2) - 2 * np.trace(covmean)


RUNS = "disp" in inspect.signature(linalg.sqrtm).parameters  # until SciPy 1.18


@pytest.fixture(params=["as it is", "transcribed"] if RUNS else ["transcribed"])
def pytorch_fids_distance(request):
    """pytorch-fid's distance: transcribed, and by its own function where SciPy still runs it."""
    if request.param == "transcribed":
        return transcribed
    return pytest.importorskip("pytorch_fid.fid_score", exc_type=(ImportError, RuntimeError)).calculate_frechet_distance
