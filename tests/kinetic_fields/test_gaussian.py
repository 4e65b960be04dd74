import torch
from kinetic_fields import Gaussian

from kinetic.testing import check_field


def test_the_velocity_is_the_conditional_expectation_of_x1_minus_x0():
    """Regression over many pairs (x0, x1) near one x_t, at random t."""
    mean, std, n = 0.5, 0.6, 400_000
    x0, x1 = torch.randn(n, dtype=torch.float64), mean + std * torch.randn(n, dtype=torch.float64)
    for time in (0.2, 0.5, 0.8):
        xt = (1 - time) * x0 + time * x1
        target = x1 - x0
        slope = ((xt - xt.mean()) * (target - target.mean())).mean() / xt.var()
        field = Gaussian(size=1, mean=mean, std=std)
        x = torch.tensor([[-1.0], [0.0], [1.5]], dtype=torch.float64)
        expected = target.mean() + slope * (x - xt.mean())
        assert torch.allclose(field.velocity(x, torch.full((3,), time, dtype=torch.float64)), expected, atol=0.02)


def test_the_contract_of_a_field_is_kept():
    check_field(Gaussian(size=4, mean=1.0, std=0.3))
