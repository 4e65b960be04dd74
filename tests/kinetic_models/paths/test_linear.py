import pytest
import torch
from kinetic_models.paths.linear import Linear


def test_the_map_carries_its_own_weights_into_those_of_the_line():
    path = Linear(zero_is_noise=False)
    low, high = path.ends
    t = torch.linspace(max(low, 1e-3), min(high, 1 - 1e-3), 50, dtype=torch.float64)
    s, size = path.time(t), path.size(t)
    a, b = 1 - s, s
    assert torch.allclose(a + b, size)
    assert torch.allclose(a / (a + b), t)


def test_its_words_are_its_numbers():
    assert "s = 1 - t" in Linear(zero_is_noise=False).words


def test_whole_steps_hold_the_nearest_time():
    path, t = Linear(zero_is_noise=False, steps=10), torch.tensor([0.0, 0.04, 0.26, 0.96, 1.0])
    assert path.held(t).tolist() == pytest.approx([0.0, 0.0, 0.3, 1.0, 1.0])
    assert torch.equal(Linear(zero_is_noise=True).held(t), t)
