import inspect

import numpy as np
import pytest
import torch
from kinetic_metrics.gaussians import frechet_distance, moments

from kinetic.errors import OptionError


def random_covariance(f, rank=None):
    a = torch.randn(f, rank or 2 * f, dtype=torch.float64)
    return a @ a.T / a.shape[1]


def test_moments_are_those_of_numpy():
    x = torch.randn(30, 4)
    mean, cov = moments(x)
    assert np.allclose(mean, x.double().numpy().mean(0))
    assert np.allclose(cov, np.cov(x.double().numpy(), rowvar=False))


def test_the_distance_of_commuting_gaussians_is_known():
    """||dm||^2 + sum (sigma1 - sigma2)^2 for covariances with the same eigenvectors."""
    q, _ = torch.linalg.qr(torch.randn(6, 6, dtype=torch.float64))
    s1, s2 = torch.rand(6, dtype=torch.float64) + 0.1, torch.rand(6, dtype=torch.float64) + 0.1
    m1, m2 = torch.randn(2, 6, dtype=torch.float64)
    found = frechet_distance(m1, q @ torch.diag(s1**2) @ q.T, m2, q @ torch.diag(s2**2) @ q.T)
    assert found == pytest.approx(((m1 - m2).square().sum() + (s1 - s2).square().sum()).item(), rel=1e-12)


@pytest.mark.parametrize(("rank1", "rank2"), [(None, None), (5, None), (None, 5), (5, 7)])
def test_singular_covariances_give_the_trace_of_the_root_of_the_product(rank1, rank2):
    from scipy.linalg import eigvals

    s1, s2, zero = random_covariance(12, rank1), random_covariance(12, rank2), torch.zeros(12)
    roots = np.sqrt(np.maximum(eigvals((s1 @ s2).numpy()).real, 0)).sum()
    expected = float(s1.trace() + s2.trace() - 2 * roots)
    assert frechet_distance(zero, s1, zero, s2) == pytest.approx(expected, rel=1e-6)
    assert frechet_distance(zero, s1, zero, s1) == pytest.approx(0, abs=1e-6)


@pytest.mark.filterwarnings("ignore:The `disp` argument is deprecated:DeprecationWarning")  # pytorch-fid's own call
def test_the_distance_is_that_of_pytorch_fid():
    from scipy.linalg import sqrtm

    if "disp" not in inspect.signature(sqrtm).parameters:
        pytest.skip("this SciPy (1.18 or newer) no longer runs pytorch-fid's distance")
    fid = pytest.importorskip("pytorch_fid.fid_score", exc_type=(ImportError, RuntimeError))
    for f in (8, 64):
        m1, c1 = moments(torch.randn(500, f) * 1.5)
        m2, c2 = moments(torch.rand(300, f))
        theirs = fid.calculate_frechet_distance(*(v.numpy() for v in (m1, c1, m2, c2)))
        assert frechet_distance(m1, c1, m2, c2) == pytest.approx(theirs, rel=1e-6)


def test_bad_input_is_named():
    with pytest.raises(OptionError, match="2 samples or more: 1"):
        moments(torch.randn(1, 3))
    nan = torch.full((2,), float("nan"))
    with pytest.raises(OptionError, match="hold NaN or infinity"):
        frechet_distance(nan, torch.eye(2), nan, torch.eye(2))
