import pytest
import torch
from kinetic_fields import Gaussian
from kinetic_schedules import KTS, Constant

from kinetic import Shaped
from kinetic.errors import OptionError
from kinetic.testing import check_field


def test_a_shaped_field_is_the_field_times_the_gain():
    field, schedule = Gaussian(size=3, std=0.5), KTS(alpha=0.3, beta=0.05)
    shaped = Shaped(field, schedule)
    x, t = torch.randn(5, 3, dtype=torch.float64), torch.rand(5, dtype=torch.float64)
    v = field.velocity(x, t)
    assert torch.equal(shaped.velocity(x, t), v * schedule.gain(t, x, v)[:, None])
    assert shaped.event_shape == (3,)
    check_field(shaped)


def test_a_shaped_field_can_be_shaped_again():
    field = Gaussian(size=2)
    twice = Shaped(Shaped(field, Constant(0.5)), Constant(0.5))
    x, t = torch.randn(4, 2), torch.rand(4)
    assert torch.allclose(twice.velocity(x, t), field.velocity(x, t) / 4)


def test_the_parts_are_checked():
    with pytest.raises(OptionError, match="'schedule' must be a schedule"):
        Shaped(Gaussian(), Gaussian())
