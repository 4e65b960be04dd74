import torch
from kinetic_fields import Gaussian
from kinetic_schedules import Constant

from kinetic import Batch, Shaped, VelocityField, tell, told
from kinetic._roles.parts import applied, gains


def test_what_is_told_goes_with_the_tensor_and_with_no_other():
    v = torch.ones(2, 3)
    assert told(v) == {}
    assert tell(v, {"a": torch.ones(2)}) is v
    assert list(told(v)) == ["a"]
    assert told(v * 1) == {}
    assert told(v[:1]) == {}


def test_a_gain_multiplies_squares_by_its_square():
    class Telling(VelocityField):
        event_shape = torch.Size([3])

        def velocity(self, x, t, batch=None):
            return tell(-x, {"square": x.double().square().sum(1)})

    x, t = torch.randn(2, 3), torch.zeros(2)
    shaped = Shaped(Telling(), Constant(value=0.5)).velocity(x, t)
    assert torch.allclose(told(shaped)["square"], shaped.double().square().sum(1))
    assert told(Shaped(Gaussian(size=3), Constant(value=0.5)).velocity(x, t)) == {}


def test_rows_beyond_one_are_counted_sample_by_sample():
    batch = Batch(torch.arange(3))
    assert batch.more_rows is None
    batch.count(torch.tensor([2, 2, 1]))
    batch.take(torch.tensor([1])).count(torch.tensor([2]))
    assert batch.more_rows.tolist() == [1, 2, 0]


def test_applied_gains_go_with_the_tensor_schedule_by_schedule():
    one, other, v = Constant(0.5), Constant(0.25), torch.ones(2, 3)
    assert gains(v) == {}
    assert applied(applied(v, one, torch.ones(2)), other, torch.zeros(2)) is v
    assert {schedule: gain.tolist() for schedule, gain in gains(v).items()} == {one: [1.0, 1.0], other: [0.0, 0.0]}
    assert gains(v[:1]) == {}
