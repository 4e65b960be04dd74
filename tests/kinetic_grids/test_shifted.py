"""Against a transcription of diffusers' FlowMatchEulerDiscreteScheduler, in its own terms: falling noise levels."""

import numpy as np
import pytest
from kinetic_grids import Shifted, Uniform

from kinetic.errors import OptionError
from kinetic.testing import check_grid


def by_the_scheduler(shift, steps):
    sigmas = np.linspace(1.0, 1 / steps, steps)
    sigmas = shift * sigmas / (1 + (shift - 1) * sigmas)
    return 1 - np.append(sigmas, 0.0)


@pytest.mark.parametrize("steps", [1, 2, 28, 50])
@pytest.mark.parametrize("shift", [0.2, 1.0, 3.0, 6.0])
def test_the_times_are_one_minus_the_noise_levels_of_the_scheduler(shift, steps):
    assert Shifted(shift=shift).times(steps) == pytest.approx(by_the_scheduler(shift, steps), abs=1e-15)


def test_a_shift_of_three_puts_the_middle_at_a_quarter():
    """sigma = 1/2 becomes 3/4."""
    assert Shifted().times(2) == [0.0, 0.25, 1.0]


def test_a_shift_and_its_inverse_mirror_each_other_in_time():
    there, back = Shifted(shift=4.0).times(9), Shifted(shift=0.25).times(9)
    assert there == pytest.approx([1 - t for t in reversed(back)], abs=1e-15)
    assert Shifted(shift=1.0).times(9) == pytest.approx(Uniform().times(9), abs=1e-15)


def test_the_ends_are_a_shift_shorter_and_longer_than_uniform_steps():
    times = Shifted(shift=3.0).times(10_000)
    assert times[1] == pytest.approx(1e-4 / 3, rel=1e-3)
    assert 1 - times[-2] == pytest.approx(3e-4, rel=1e-3)


@pytest.mark.parametrize("shift", [1e-3, 1.0, 3.0, 1e3])
def test_the_contract_of_a_grid_is_kept(shift):
    check_grid(Shifted(shift=shift), range(1, 100))


def test_a_bad_shift_is_named_with_its_bound():
    with pytest.raises(OptionError, match="'shift' must be a number > 0: 0"):
        Shifted(shift=0)


@pytest.mark.parametrize("shift", [1e-17, 1e308])
def test_a_shift_that_no_double_can_follow_is_refused_by_the_solver(shift):
    with pytest.raises(OptionError, match="Shifted must give 1001 times that rise from 0"):
        Shifted(shift=shift).checked(1000)
