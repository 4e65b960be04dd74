import numpy as np
import pytest
import torch
from kinetic_metrics import ResidualNoise
from kinetic_metrics.residual_noise import diagonal_details, noise_level
from scipy.stats import norm

from kinetic import Samples
from kinetic.errors import ShapeError
from kinetic.testing import check_metric


def score(x):
    metric = ResidualNoise()
    samples = Samples(torch.arange(len(x)), x)
    return metric.finish(metric.observe(metric.begin(), samples))


def smooth(n, side):
    """Images of a few slow waves, in [-1, 1]."""
    t = torch.linspace(0, 1, side)
    waves = [torch.sin(3 * t[:, None] + k + 2 * t[None, :] * (k % 3)) for k in range(n)]
    return torch.stack(waves)[:, None]


@pytest.mark.parametrize("sigma", [0.02, 0.1, 0.5])
def test_a_smooth_image_with_noise_gives_its_sigma_within_five_percent(sigma):
    x = smooth(5, 256)
    found = score(x + sigma * torch.randn_like(x))
    assert found.columns["sigma"].tolist() == pytest.approx([sigma] * 5, rel=0.05)
    assert found.values["sigma"].value == pytest.approx(sigma, rel=0.02)
    assert len(found.notes) == 1


def test_details_are_the_haar_transform_of_two_by_two_blocks():
    x = torch.randn(3, 2, 6, 8, dtype=torch.float64)
    haar = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
    expected = [
        (haar @ block @ haar.T)[1, 1]
        for block in x.numpy().reshape(6, 3, 2, 4, 2).transpose(0, 1, 3, 2, 4).reshape(-1, 2, 2)
    ]
    assert diagonal_details(x).flatten().tolist() == pytest.approx(expected)


@pytest.mark.parametrize("k", [9, 16])
def test_sigma_is_numpys_median_over_the_quartile_of_the_normal(k):
    details = torch.randn(4, 3, k, dtype=torch.float64)
    expected = np.median(np.abs(details.numpy()), axis=2).mean(1) / norm.ppf(0.75)
    assert noise_level(details).tolist() == pytest.approx(expected.tolist(), rel=2e-5)  # 0.6745 is rounded


def test_planes_and_odd_edges_have_no_details():
    rows, columns = torch.meshgrid(torch.arange(7.0), torch.arange(5.0), indexing="ij")
    found = score(torch.stack([rows + 2 * columns, torch.ones(7, 5)])[:, None])
    assert found.columns["sigma"].tolist() == [0.0, 0.0]


def test_small_images_are_told_how_little_they_say():
    """The standard error of a median of |z|: sqrt(1/4 / k) / (2 phi(0.6745)) over 0.6745, a share of sigma."""
    found = score(torch.randn(400, 1, 8, 8))
    share = 0.5 / (2 * norm.pdf(0.6745)) / 0.6745 / 4
    assert f"standard error of {100 * share:.0f}%" in found.notes[1]
    assert float(found.columns["sigma"].std()) == pytest.approx(share, rel=0.15)


def test_the_contract_of_a_metric_is_kept():
    x = torch.randn(12, 2, 5, 6)
    check_metric(ResidualNoise(), Samples(torch.randperm(12), x))


def test_bad_input_is_named():
    with pytest.raises(ShapeError, match=r"images .* of 2 x 2 pixels or more: the samples have shape \(64,\)"):
        score(torch.zeros(3, 64))
