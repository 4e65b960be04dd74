import pytest
import torch
from kinetic_models.paths.variance_preserving import VariancePreserving


def test_at_whole_steps_the_map_carries_the_weights_of_the_chain_into_those_of_the_line():
    path, steps = VariancePreserving(1e-4, 0.02, 1000, whole=False), torch.tensor([0, 1, 250, 500, 998, 999])
    kept = (1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)).cumprod(0)[steps]
    a, b = kept.sqrt(), (1 - kept).sqrt()
    t = a / (a + b)
    assert torch.allclose(path.time(t), steps.double(), atol=1e-6)
    assert torch.allclose(path.size(t), a + b)
    assert path.ends == pytest.approx((float(t[-1]), float(t[0])))
    assert "1000 betas from 0.0001 to 0.02" in path.words


def test_steps_are_rounded_where_they_are_whole_and_held_within_the_chain():
    path = VariancePreserving(1e-4, 0.02, 1000, whole=True)
    steps = path.time(torch.linspace(1e-6, 1 - 1e-6, 99, dtype=torch.float64))
    assert torch.equal(steps, steps.round())
    assert (float(steps[0]), float(steps[-1])) == (999.0, 0.0)


def test_where_steps_are_whole_all_is_that_of_the_nearest_step():
    path, t = VariancePreserving(1e-4, 0.02, 1000, whole=True), torch.linspace(0.01, 0.98, 50, dtype=torch.float64)
    kept = (1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)).cumprod(0)[path.time(t).long()]
    a, b = kept.sqrt(), (1 - kept).sqrt()
    assert torch.allclose(path.held(t), a / (a + b), rtol=1e-12)
    assert torch.allclose(path.size(path.held(t)), a + b)
    assert torch.equal(path.time(path.held(t)), path.time(t))
    loose = VariancePreserving(1e-4, 0.02, 1000, whole=False)
    assert torch.equal(loose.held(t), t)
