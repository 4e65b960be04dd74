import torch
from kinetic_models.paths.sigma import Sigma


def test_the_map_carries_its_own_weights_into_those_of_the_line():
    path = Sigma(0.002, 80.0)
    low, high = path.ends
    t = torch.linspace(max(low, 1e-3), min(high, 1 - 1e-3), 50, dtype=torch.float64)
    s, size = path.time(t), path.size(t)
    a, b = torch.ones_like(s), s
    assert torch.allclose(a + b, size)
    assert torch.allclose(a / (a + b), t)


def test_its_words_are_its_numbers():
    assert "sigma from 80 to 0.002" in Sigma(0.002, 80.0).words
