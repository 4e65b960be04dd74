import pytest
import torch
from kinetic_metrics.triangular import congruent, full_rank, lower_product


@pytest.mark.parametrize("f", [1, 7, 256, 300])
def test_products_without_zeros_are_the_products(f):
    x = torch.randn(2 * f + 5, f, dtype=torch.float64)
    cov, other = x.mT @ x, torch.randn(f, f, dtype=torch.float64)
    lower = full_rank(cov)
    assert torch.allclose(lower @ lower.mT, cov)
    assert torch.allclose(congruent(lower, cov).tril(), (lower.mT @ cov @ lower).tril())
    assert torch.allclose(lower_product(lower, other), lower @ other)


def test_a_singular_covariance_has_no_factor():
    assert full_rank(torch.ones(3, 3, dtype=torch.float64)) is None
