import pytest
import torch
from kinetic_fields import Gaussian, Temperature


@pytest.mark.parametrize("factor", [0.5, 2.0, 10.0])
def test_of_a_gaussian_it_is_the_exact_flow_to_its_tempered_one(factor):
    std = 0.7
    x, t = torch.randn(200, 3, dtype=torch.float64), torch.linspace(0, 1, 200, dtype=torch.float64)
    v = Temperature(Gaussian(size=3, std=std), factor=factor, std=std).velocity(x, t)
    assert torch.allclose(v, Gaussian(size=3, std=std / factor**0.5).velocity(x, t))


def test_it_is_the_formula_of_the_paper():
    field, s, k = Gaussian(size=3, mean=0.4, std=0.6), 0.9, 3.0
    x, t = torch.randn(50, 3, dtype=torch.float64), torch.linspace(0.05, 0.95, 50, dtype=torch.float64)
    v, at = field.velocity(x, t), t[:, None]
    snr = (at / (1 - at)) ** 2
    r = (snr * s**2 + 1) / (snr * s**2 / k + 1)
    assert torch.allclose(Temperature(field, factor=k, std=s).velocity(x, t), (x - r * (x - at * v)) / at)
