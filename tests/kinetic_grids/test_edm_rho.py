"""Against a transcription of the schedule of Karras et al., as their own code has it."""

import numpy as np
import pytest
from kinetic_grids import EDMRho

from kinetic.errors import OptionError
from kinetic.testing import check_grid


def by_the_authors(steps, sigma_min=0.002, sigma_max=80.0, rho=7.0):
    """`edm_sampler` of NVlabs/edm: t_steps, with t_N = 0."""
    k = np.arange(steps)
    sigmas = (sigma_max ** (1 / rho) + k / (steps - 1) * (sigma_min ** (1 / rho) - sigma_max ** (1 / rho))) ** rho
    return np.append(sigmas, 0.0)


@pytest.mark.parametrize("steps", [2, 3, 18, 50])
@pytest.mark.parametrize("more", [{}, {"rho": 3.0, "sigma_min": 0.01, "sigma_max": 10.0}, {"rho": 1.0}])
def test_after_its_start_it_has_the_noise_levels_of_the_authors(steps, more):
    times = np.array(EDMRho(**more).times(steps))
    assert times[0] == 0
    assert (1 - times[1:]) / times[1:] == pytest.approx(by_the_authors(steps, **more)[1:], rel=1e-9, abs=1e-12)


def test_a_state_of_the_flow_divided_by_its_time_has_that_noise_level():
    """x_t / t = x1 + sigma x0."""
    x0, x1 = 0.3, -1.7
    for t in EDMRho().times(18)[1:]:
        assert ((1 - t) * x0 + t * x1) / t == pytest.approx(x1 + (1 - t) / t * x0, rel=1e-12)


def test_the_time_before_the_last_is_that_of_the_smallest_level():
    assert EDMRho().times(40)[-2] == pytest.approx(1 / 1.002, rel=1e-12)
    assert EDMRho().times(1) == [0.0, 1.0]


@pytest.mark.parametrize("rho", [1.0, 7.0, 20.0])
def test_the_contract_of_a_grid_is_kept(rho):
    check_grid(EDMRho(rho=rho), range(1, 100))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"rho": 0.5}, "'rho' must be a number >= 1: 0.5"),
        ({"sigma_min": 0}, "'sigma_min' must be a number > 0: 0"),
        ({"sigma_max": 0.001}, "'sigma_max' must be > 'sigma_min' = 0.002: 0.001"),
    ],
)
def test_a_bad_option_is_named_with_its_bound(bad, said):
    with pytest.raises(OptionError) as caught:
        EDMRho(**bad)
    assert str(caught.value).startswith(said)
