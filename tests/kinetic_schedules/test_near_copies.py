import pytest
import torch
from kinetic_schedules import KTS, Constant, NearCopies
from kinetic_solvers import Euler

from kinetic import Runner, TensorData, VelocityField
from kinetic.errors import OptionError, ShapeError
from kinetic.testing import check_schedule

DATA = TensorData(torch.tensor([[0.0, 0.0, 0.0], [4.0, 0.0, 0.0]], dtype=torch.float64))


def test_the_gain_is_that_of_the_schedule_near_a_copy_and_1_elsewhere():
    """x + (1 - t) v = (0, y, 0): d1/d2 = y / sqrt(16 + y^2)."""
    y = torch.tensor([0.1, 2.0, 40.0], dtype=torch.float64)
    x = torch.stack([0 * y, y - 0.5, 0 * y], 1)
    v = torch.tensor([[0.0, 1.0, 0.0]], dtype=torch.float64).expand(3, 3)
    t = torch.full((3,), 0.5, dtype=torch.float64)
    gain = NearCopies(Constant(0.8), DATA, lower=0.1, upper=0.9).gain(t, x, v)
    h = (0.9 - 2 / 20**0.5) / 0.8
    assert gain.tolist() == pytest.approx([0.8, 1 - 0.2 * h, 1.0])


def test_it_keeps_the_promises_of_a_schedule():
    kts = KTS()
    assert NearCopies(kts, DATA).breakpoints == kts.breakpoints
    check_schedule(NearCopies(kts, DATA))


def test_noise_is_left_in_the_samples_that_were_slowed_alone():
    class Fork(VelocityField):
        """To a data point from above, to the middle of both from below."""

        event_shape = torch.Size([3])

        def velocity(self, x, t, batch=None):
            target = torch.tensor([2.0, 0.0, 0.0]) * (x[:, 1:2] < 0)
            return (target - x) / (1.01 - t)[:, None]

    run = Runner(Fork(), Euler(steps=50), NearCopies(Constant(0.9), DATA)).run(20, dtype=torch.float64)
    gain, slowed = run.energy["gain"], run.samples[:, 1] > 0
    assert 0 < int(slowed.sum()) < 20
    assert (gain[slowed] < 0.999).all()
    assert gain[~slowed].tolist() == pytest.approx([1.0] * int((~slowed).sum()), abs=1e-12)


def test_bad_options_are_named():
    with pytest.raises(OptionError, match="'data' must hold 2 points or more"):
        NearCopies(KTS(), TensorData(torch.zeros(1, 2)))
    with pytest.raises(OptionError, match="'lower' must be below 'upper'"):
        NearCopies(KTS(), DATA, lower=0.6, upper=0.6)
    with pytest.raises(ShapeError, match=r"samples have shape \(2,\), the data \(3,\)"):
        NearCopies(KTS(), DATA).gain(torch.zeros(1), torch.zeros(1, 2), torch.zeros(1, 2))
