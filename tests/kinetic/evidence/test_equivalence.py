import numpy as np
import pytest
from scipy import stats

from kinetic import evidence
from kinetic.evidence._estimate import symmetric


@pytest.mark.parametrize("dof", [None, 9])
def test_two_one_sided_tests_at_five_per_cent_are_the_ninety_per_cent_interval(dof):
    law = stats.norm if dof is None else stats.t(dof)
    estimate, reach = symmetric(0.1, 0.2, dof), 0.1 + law.ppf(0.95) * 0.2
    assert evidence.equivalent(estimate, reach + 1e-9)
    assert not evidence.equivalent(estimate, reach - 1e-9)
    assert not evidence.equivalent(evidence.Estimate(0.0), 1.0)


def test_at_the_boundary_one_in_twenty_is_called_equivalent():
    rng = np.random.default_rng(1)
    called = [evidence.equivalent(evidence.mean(0.3 + rng.normal(size=300)), 0.3) for _ in range(600)]
    assert 0.02 < np.mean(called) < 0.08
    called = [evidence.equivalent(evidence.mean(rng.normal(size=300)), 0.3) for _ in range(100)]
    assert np.mean(called) > 0.95


@pytest.mark.parametrize("dof", [None, 9])
def test_p_values_are_those_of_the_test_and_agree_with_the_interval(dof):
    law = stats.norm if dof is None else stats.t(dof)
    for value in (-0.5, -0.3, 0.1, 0.393, 0.6):
        estimate = symmetric(value, 0.2, dof)
        p = evidence.p_value(estimate)
        assert p == pytest.approx(2 * law.sf(abs(value) / 0.2))
        assert (p < 0.05) == (estimate.sign != 0)


def test_p_values_of_points_and_of_what_has_no_interval():
    assert evidence.p_value(evidence.Estimate(1.0)) is None
    assert evidence.p_value(evidence.Estimate(0.0, 0.0, 0.0)) == 1.0
    assert evidence.p_value(evidence.Estimate(2.0, 2.0, 2.0)) == 0.0


def test_an_uneven_interval_has_the_p_value_of_the_end_that_is_nearer_to_zero():
    a = np.arange(400) < 3
    estimate = evidence.tango(a, np.zeros(400, bool))
    assert (evidence.p_value(estimate) < 0.05) == (estimate.sign == 1)
