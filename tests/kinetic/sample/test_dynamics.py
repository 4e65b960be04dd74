import torch
from kinetic_fields import Gaussian
from kinetic_schedules import KTS, Constant

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
