"""Against a transcription of diffusers' `_time_shift_exponential` and of the line Flux takes its mu from."""

import math

import numpy as np
import pytest
from kinetic_grids import ExponentialShift, Shifted, Uniform

from kinetic.errors import OptionError
from kinetic.testing import check_grid


def by_the_scheduler(mu, steps, power=1.0):
    sigmas = np.linspace(1.0, 1 / steps, steps)
    sigmas = math.exp(mu) / (math.exp(mu) + (1 / sigmas - 1) ** power)
    return 1 - np.append(sigmas, 0.0)


def mu_of_flux(tokens, base_tokens=256, most_tokens=4096, base=0.5, most=1.15):
    slope = (most - base) / (most_tokens - base_tokens)
    return tokens * slope + base - slope * base_tokens


@pytest.mark.parametrize("steps", [1, 2, 28, 50])
@pytest.mark.parametrize("mu", [-1.0, 0.5, 1.15])
def test_the_times_are_one_minus_the_noise_levels_of_the_scheduler(mu, steps):
    assert ExponentialShift(mu=mu).times(steps) == pytest.approx(by_the_scheduler(mu, steps), abs=1e-15)


def test_it_is_the_shift_by_e_to_the_mu():
    assert ExponentialShift(mu=0.7).times(20) == Shifted(shift=math.exp(0.7)).times(20)
    assert ExponentialShift(mu=0.0).times(20) == pytest.approx(Uniform().times(20), abs=1e-15)


@pytest.mark.parametrize("tokens", [256, 1024, 4096, 9216])
def test_the_mu_of_flux_follows_the_number_of_tokens(tokens):
    assert ExponentialShift.flux(tokens).mu == pytest.approx(mu_of_flux(tokens), rel=1e-14)
    assert ExponentialShift().mu == ExponentialShift.flux(4096).mu


@pytest.mark.parametrize("mu", [-3.0, 0.0, 1.15, 10.0])
def test_the_contract_of_a_grid_is_kept(mu):
    check_grid(ExponentialShift(mu=mu), range(1, 100))


def test_a_bad_mu_is_named_with_its_bound():
    with pytest.raises(OptionError, match="'mu' must be a number >= -100 and <= 100: 1000"):
        ExponentialShift(mu=1000)
