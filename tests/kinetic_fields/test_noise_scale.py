import torch
from kinetic_fields import Gaussian, NoiseScale
from kinetic_solvers import RK4

from kinetic import Runner


def test_a_flow_of_a_gaussian_from_other_noise_ends_at_its_scale():
    mean, std, scale = 1.0, 0.5, 0.8
    field = Gaussian(size=4, mean=mean, std=std)
    plain, cold = (
        Runner(each, RK4(steps=30)).run(50, dtype=torch.float64) for each in (field, NoiseScale(field, scale))
    )
    assert torch.allclose(cold.samples, mean + scale * (plain.samples - mean), atol=1e-6)
    assert torch.allclose(cold.energy["x0_sq"], scale**2 * plain.energy["x0_sq"])
    assert cold.warnings == ()
