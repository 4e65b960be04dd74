import math

import pytest
import torch
from kinetic_metrics import Sharpness
from kinetic_metrics.sharpness import laplacian_variance
from scipy.ndimage import laplace

from kinetic import Samples
from kinetic.errors import ShapeError
from kinetic.testing import check_metric


def score(x):
    metric = Sharpness()
    samples = Samples(torch.arange(len(x)), x)
    return metric.finish(metric.observe(metric.begin(), samples))


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 2, 5), (3, 9, 4)])
def test_it_is_the_variance_of_scipys_laplacian_with_mirrored_edges(shape):
    x = torch.randn(6, *shape)
    expected = [
        sum(laplace(channel.double().numpy(), mode="mirror").var() for channel in image) / shape[0] for image in x
    ]
    assert laplacian_variance(x).tolist() == pytest.approx(expected, rel=1e-12)


def test_a_wave_has_the_variance_of_its_closed_form():
    """The Laplacian of cos(w x) is -(2 - 2 cos w) cos(w x); mirrored edges keep it so where w = pi k / (n - 1)."""
    n, w = 65, math.pi * 8 / 64
    wave = torch.cos(w * torch.arange(n, dtype=torch.float64)).expand(1, 1, n, n)
    expected = (2 - 2 * math.cos(w)) ** 2 * wave.var(correction=0).item()
    assert laplacian_variance(wave).item() == pytest.approx(expected)


def test_white_noise_has_twenty_times_its_variance():
    assert laplacian_variance(0.3 * torch.randn(1, 1, 400, 400)).item() == pytest.approx(20 * 0.09, rel=0.05)


def test_a_flat_image_has_none_and_a_blurred_one_less():
    flat, sharp = torch.full((1, 1, 8, 8), 0.4), (torch.rand(1, 1, 8, 8) > 0.5).float()
    blurred = torch.nn.functional.avg_pool2d(torch.nn.functional.pad(sharp, (1, 1, 1, 1), "reflect"), 3, 1)
    found = score(torch.cat([flat, sharp, blurred]))
    assert found.columns["sharpness"][0] == pytest.approx(0, abs=1e-12)
    assert found.columns["sharpness"][1] > 5 * found.columns["sharpness"][2]


def test_the_contract_of_a_metric_is_kept():
    x = torch.randn(12, 2, 5, 6)
    check_metric(Sharpness(), Samples(torch.randperm(12), x))


def test_bad_input_is_named():
    with pytest.raises(ShapeError, match=r"images .* of 2 x 2 pixels or more: the samples have shape \(64,\)"):
        score(torch.zeros(3, 64))
