import math

import numpy as np
import pytest

from kinetic.evidence import Estimate, mean
from kinetic.evidence import _forecast as forecast


def test_the_arm_that_reaches_for_the_bound_counts():
    estimate = Estimate(1.0, -1.0, 5.0)
    assert forecast.times_to_pass(estimate, 1) == 4.0
    assert forecast.times_to_pass(estimate, -1, 3.0) == 4.0
    assert forecast.times_to_pass(estimate, -1) == math.inf
    assert forecast.times_to_pass(Estimate(1.0), 1) == math.inf
    assert forecast.times_to_fit(estimate, 3.0) == 4.0
    assert forecast.times_to_fit(estimate, 1.0) == math.inf


def test_so_many_samples_decide_in_half_of_the_draws():
    rng = np.random.default_rng(1)
    times = forecast.times_to_pass(mean(0.1 + (z := rng.normal(size=100)) - z.mean()), 1)
    n = round(100 * times)
    assert n == pytest.approx(1.96**2 / 0.01, rel=0.3)
    assert 0.3 < np.mean([mean(0.1 + rng.normal(size=n)).sign == 1 for _ in range(200)]) < 0.7


@pytest.mark.parametrize(("n", "rounded"), [(1, 1), (12.1, 13), (123, 130), (4001, 4100), (0.5, 1)])
def test_forecasts_are_rounded_up_to_two_digits(n, rounded):
    assert forecast.round_up(n) == rounded
