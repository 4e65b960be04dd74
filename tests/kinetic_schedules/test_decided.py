import math

import pytest
import torch
from kinetic_schedules import KTS, Constant, Decided

from kinetic import TensorData
from kinetic.errors import OptionError
from kinetic.testing import check_schedule

DATA = TensorData(torch.tensor([[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]], dtype=torch.float64))


def test_the_share_of_the_gain_goes_by_the_weight_of_two_points():
    """Of two points at +-e the larger weight at x is 1 / (1 + exp(-2 t |x_1| / (1 - t)^2))."""
    x = torch.tensor([[0.0, 0.0, 0.0], [0.4, 9.0, 0.0], [3.0, 0.0, 0.0]], dtype=torch.float64)
    t = torch.full((3,), 0.5, dtype=torch.float64)
    weight = 1 / (1 + math.exp(-2 * 0.5 * 0.4 / 0.25))
    gain = Decided(Constant(0.5), DATA, lower=0.6, upper=0.9).gain(t, x, x)
    assert gain.tolist() == pytest.approx([1.0, 1 - 0.5 * (weight - 0.6) / 0.3, 0.5])


def test_it_keeps_the_promises_of_a_schedule_up_to_t_1():
    check_schedule(Decided(KTS(), DATA))


def test_a_ramp_that_does_not_rise_is_refused():
    with pytest.raises(OptionError, match=r"'lower' must be below 'upper' = 0\.5: 0\.9"):
        Decided(KTS(), DATA, lower=0.9, upper=0.5)
