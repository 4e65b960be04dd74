import pytest
import torch
from kinetic_fields import Blocked, Gaussian, Hybrid, Momentum, NoiseScale, Temperature


@pytest.mark.parametrize("wrapper", [Blocked, Momentum, NoiseScale, Temperature])
def test_what_a_wrapper_does_not_change_is_the_fields(wrapper):
    field = Hybrid(Gaussian(size=3), Gaussian(size=3, std=0.5), tau=0.4)
    wrapped = wrapper(field)
    x, t = torch.randn(5, 3), torch.rand(5)
    assert wrapped.event_shape == field.event_shape
    assert wrapped.breakpoints == (0.4,)
    assert wrapped.t_end == 1.0
    assert wrapped.seen(x) is x
    assert torch.equal(wrapped.start(x), x)
    assert torch.allclose(wrapped.velocity(x, t), field.velocity(x, t))  # by default nothing changes
