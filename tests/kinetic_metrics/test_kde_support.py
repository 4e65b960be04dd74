import math

import pytest
import torch
from kinetic_features import Pixels
from kinetic_metrics import KDESupport
from kinetic_metrics.kde_support import log_density
from scipy.stats import gaussian_kde
from sklearn.neighbors import KernelDensity

from kinetic import Samples
from kinetic.errors import OptionError, ShapeError
from kinetic.testing import check_metric

CPU = torch.device("cpu")


def score(metric, x):
    samples = Samples(torch.arange(len(x)), x)
    return metric.finish(metric.observe(metric.begin(), samples))


@pytest.mark.parametrize("f", [1, 2, 7])
@pytest.mark.parametrize("bandwidth", [None, 0.2, 3.0])
def test_full_kernels_are_scipys_gaussian_kde(f, bandwidth):
    reference = torch.randn(80, f, dtype=torch.float64) @ torch.randn(f, f, dtype=torch.float64) + 5
    x = 4 * torch.randn(30, f, dtype=torch.float64) + 5
    theirs = gaussian_kde(reference.numpy().T, bw_method=bandwidth or "scott").logpdf(x.numpy().T)
    found = score(KDESupport(reference=reference, bandwidth=bandwidth, kernel="full"), x)
    assert torch.allclose(found.columns["log_density"], torch.from_numpy(theirs), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("f", [1, 3, 40])
@pytest.mark.parametrize("bandwidth", [0.01, 0.5, 10.0])
def test_isotropic_kernels_are_scikit_learns_kernel_density(f, bandwidth):
    """Of one leaf: split trees of scikit-learn 1.9 lose kernels whose bounds underflow."""
    reference, x = torch.randn(90, f, dtype=torch.float64) + 3, torch.randn(30, f, dtype=torch.float64) + 3
    theirs = (
        KernelDensity(bandwidth=bandwidth, rtol=1e-12, leaf_size=100).fit(reference.numpy()).score_samples(x.numpy())
    )
    found = score(KDESupport(reference=reference, bandwidth=bandwidth), x)
    assert torch.allclose(found.columns["log_density"], torch.from_numpy(theirs), rtol=1e-9, atol=1e-9)


def test_scotts_rule_of_isotropic_kernels_takes_the_root_mean_variance():
    reference, x = torch.randn(50, 4).double() * 3, torch.randn(9, 4).double()
    h = 50 ** (-1 / 8) * reference.var(0).mean().sqrt().item()
    theirs = KernelDensity(bandwidth=h, rtol=1e-12, leaf_size=100).fit(reference.numpy()).score_samples(x.numpy())
    found = score(KDESupport(reference=reference), x)
    assert torch.allclose(found.columns["log_density"], torch.from_numpy(theirs), rtol=1e-9)
    assert f"bandwidth {h:.4g} (Scott's rule), in 4 Pixels features" in found.notes[0]


def test_on_a_fine_grid_the_density_is_that_of_the_uniform_law():
    """Kernels of width h on a grid of spacing a < h add up to 1 / volume, to exp(-2 (pi h / a)^2)."""
    side = torch.arange(-30, 31, dtype=torch.float64) / 10
    grid = torch.cartesian_prod(side, side)
    x = torch.tensor([[0.0, 0.0], [0.33, -0.71], [0.05, 0.05]], dtype=torch.float64)
    found = score(KDESupport(reference=grid, bandwidth=0.3), x)
    expected = math.log(1 / (len(grid) * 0.1**2))
    assert found.columns["log_density"].tolist() == pytest.approx([expected] * 3, abs=1e-9)


def test_far_from_one_point_the_log_density_is_the_log_of_one_kernel():
    found = score(KDESupport(reference=torch.zeros(1, 2), bandwidth=0.1), torch.tensor([[300.0, 400.0], [0.0, 0.0]]))
    constant = -math.log(2 * math.pi * 0.01)
    assert found.columns["log_density"].tolist() == pytest.approx([constant - 500**2 / 0.02, constant], rel=1e-12)


@pytest.mark.parametrize("bandwidth", [1e-320, 1e160, 1.7e308])
def test_a_bandwidth_whose_square_is_no_float_has_its_density(bandwidth):
    x = torch.zeros(1, 2, dtype=torch.float64)
    density = log_density(x, x, bandwidth, torch.device("cpu"))
    assert float(density) == pytest.approx(-2 * math.log(bandwidth) - math.log(2 * math.pi), rel=1e-12)


def test_copies_far_from_the_origin_keep_their_density():
    points = torch.randn(20, 30, dtype=torch.float64) * 1e4
    found = log_density(points + 1e-6, points, 1e-5, CPU)
    expected = -math.log(20) - 15 * math.log(2 * math.pi * 1e-10) - 30 * 0.01 / 2
    assert found.tolist() == pytest.approx([expected] * 20, rel=1e-6)


def test_blocks_of_samples_and_points_make_one_density(monkeypatch):
    x, points = torch.randn(23, 3, dtype=torch.float64), torch.randn(31, 3, dtype=torch.float64)
    whole = log_density(x, points, 0.7, CPU)
    monkeypatch.setattr("kinetic_metrics.kde_support._ROWS", 5)
    assert torch.allclose(log_density(x, points, 0.7, CPU), whole, rtol=1e-13)


def test_the_contract_of_a_metric_is_kept():
    x = torch.randn(12, 3)
    samples = Samples(torch.randperm(12), x)
    check_metric(KDESupport(reference=torch.randn(30, 3)), samples)
    check_metric(KDESupport(reference=torch.randn(30, 3), kernel="full", features=Pixels()), samples)


def test_bad_input_is_named():
    for value in (0, -1.0, float("nan"), "scott", True):
        with pytest.raises(OptionError, match="'bandwidth' must be a number > 0, or nothing: "):
            KDESupport(reference=torch.zeros(3, 2), bandwidth=value)
    with pytest.raises(OptionError, match="'reference' must hold 2 points or more, for their spread: 1"):
        KDESupport(reference=torch.zeros(1, 2))
    with pytest.raises(OptionError, match="'bandwidth' must be given where all reference points are equal"):
        score(KDESupport(reference=torch.ones(3, 2)), torch.zeros(2, 2))
    with pytest.raises(OptionError, match="covariance of 4 reference points in 6 features is singular"):
        score(KDESupport(reference=torch.randn(4, 6), kernel="full"), torch.zeros(2, 6))
    metric = KDESupport(reference=torch.randn(5, 3))
    with pytest.raises(ShapeError, match="samples have 2 Pixels features, the points they are compared with 3"):
        score(metric, torch.zeros(4, 2))
