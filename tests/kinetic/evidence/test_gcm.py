import numpy as np
import pytest
from scipy import stats

from kinetic.evidence._gcm import generalised_covariance
from kinetic.evidence._strata import Strata


def test_the_measure_is_the_t_of_the_mean_product():
    x, y = np.random.default_rng(1).normal(size=(2, 3, 500))
    measure, p = generalised_covariance(x, y[:2], Strata.of(None, 500))
    assert measure.shape == p.shape == (3, 2)
    for i in range(3):
        for j in range(2):
            t = stats.ttest_1samp(x[i] * y[j], 0.0).statistic
            assert measure[i, j] == pytest.approx(t)
            assert p[i, j] == pytest.approx(2 * stats.norm.sf(abs(t)))


def test_products_without_spread_have_none():
    nothing, _ = generalised_covariance(np.zeros((1, 9)), np.ones((1, 9)), Strata.of(None, 9))
    assert np.isnan(nothing).all()
