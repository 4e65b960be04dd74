import torch
from kinetic_fields import Gaussian
from kinetic_schedules import KTS, Constant, EnergyClamp

from kinetic import Batch, Shaped, Stage
from kinetic._sample.dynamics import Dynamics, clock_dtype

X = torch.zeros(3, 2)


def of(field, schedule=None):
    return Dynamics.of(field, schedule, Batch(torch.arange(3)), X)


def test_the_clock_is_no_coarser_than_float32():
    found = [clock_dtype(d) for d in (torch.float16, torch.bfloat16, torch.float32, torch.float64)]
    assert found == [torch.float32, torch.float32, torch.float32, torch.float64]


def test_a_shaped_field_is_taken_apart_and_its_gains_multiply():
    dynamics = of(Shaped(Shaped(Gaussian(), Constant(0.5)), KTS(tau=0.4)), Constant(0.9))
    assert isinstance(dynamics.field, Gaussian)
    assert dynamics.breakpoints == (0.4,)
    t = torch.full((3,), 0.4, dtype=torch.float64)
    gain = KTS(tau=0.4).gain(t, X, X) * 0.45
    assert torch.allclose(dynamics.gain(Stage(t, X, 1.0), X), gain.double())


def test_calls_are_counted_for_the_rows_that_were_asked():
    dynamics = of(Gaussian())
    t = torch.zeros(3, dtype=torch.float64)
    dynamics(X, t, slice(None))
    dynamics(X[:1], t[:1], torch.tensor([2]))
    assert dynamics.calls.tolist() == [1, 1, 2]
    assert not dynamics.may_stop_short


def test_gains_that_look_at_the_velocity_are_those_that_were_applied_and_each_schedule_has_its_own():
    """Asked again, of the velocity after the gain, the clamps would answer otherwise."""
    inner, outer = EnergyClamp(low=[8.0], high=[8.0], most=100.0), EnergyClamp(low=[1.0], high=[2.0], most=100.0)
    dynamics = of(Shaped(Gaussian(mean=1.0), inner), outer)
    x, t = torch.tensor([[3.0, 1.0], [0.5, 0.1], [-2.0, 9.0]]), torch.full((3,), 0.25)
    v = Gaussian(mean=1.0).velocity(x, t)
    shaped = dynamics(x, t, slice(None))
    assert torch.allclose(shaped.square().sum(1) / 2, torch.full((3,), 2.0))
    gain = dynamics.gain(Stage(t.double(), shaped, 1.0), x)
    assert torch.allclose(gain, (shaped.norm(dim=1) / v.norm(dim=1)).double())
    assert gain.unique().numel() == 3
