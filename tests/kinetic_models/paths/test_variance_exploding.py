import torch
from kinetic_models.paths.variance_exploding import VarianceExploding


def test_the_map_carries_its_own_weights_into_those_of_the_line():
    path = VarianceExploding(0.01, 50.0)
    low, high = path.ends
    t = torch.linspace(max(low, 1e-3), min(high, 1 - 1e-3), 50, dtype=torch.float64)
    s, size = path.time(t), path.size(t)
    a, b = torch.ones_like(s), 0.01 * 5000.0**s
    assert torch.allclose(a + b, size)
    assert torch.allclose(a / (a + b), t)


def test_its_words_are_its_numbers():
    assert "sigma = 0.01 (50 / 0.01)^s" in VarianceExploding(0.01, 50.0).words
