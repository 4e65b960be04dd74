import numpy as np
import pytest
from scipy import stats

from kinetic.evidence import _ranks as ranks
from kinetic.evidence._strata import Strata


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.mark.parametrize("ties", [False, True])
def test_rho_is_spearmans_and_its_error_that_of_leaving_samples_out(rng, ties):
    x, y = rng.normal(size=(2, 3, 400))
    y = y + 0.8 * x
    x, y = (np.round(2 * each) if ties else each for each in (x, y))
    rho, error = ranks.rank_correlations(x, y, Strata.of(None, 400))
    for i in range(3):
        for j in range(3):
            assert rho[i, j] == pytest.approx(stats.spearmanr(x[i], y[j]).statistic, abs=1e-12)
    left = np.array([stats.spearmanr(np.delete(x[0], k), np.delete(y[0], k)).statistic for k in range(400)])
    assert error[0, 0] == pytest.approx(np.sqrt(399 / 400 * np.square(left - left.mean()).sum()), rel=0.01)


def test_many_columns_in_blocks_are_what_they_are_alone(rng, monkeypatch):
    x, y, strata = rng.normal(size=(2, 50)), rng.normal(size=(7, 50)), Strata.of(np.arange(50) % 3, 50)
    whole = ranks.rank_correlations(x, y, strata)
    monkeypatch.setattr(ranks, "BLOCK", 100)
    assert np.array(ranks.rank_correlations(x, y, strata)) == pytest.approx(np.array(whole), abs=1e-14)


def test_a_constant_column_has_no_rho(rng):
    x, y = np.stack([np.ones(20), rng.normal(size=20)]), np.stack([rng.normal(size=20), np.ones(20)])
    rho, error = ranks.rank_correlations(x, y, Strata.of(None, 20))
    assert np.isfinite(rho).tolist() == np.isfinite(error).tolist() == [[False, False], [True, False]]


def test_on_fishers_scale_no_interval_leaves_minus_one_to_one():
    made = ranks.on_fisher_scale(0.9, 0.1, 18)
    half = stats.t.ppf(0.975, 18) * 0.1 / (1 - 0.81)
    assert (made.low, made.high) == pytest.approx(tuple(np.tanh(np.arctanh(0.9) + np.array([-half, half]))))
    assert made.high < 1
    assert ranks.on_fisher_scale(1.0, 0.0, 18).high == 1.0
    assert ranks.on_fisher_scale(float("nan"), 0.1, 18) is None
    assert ranks.on_fisher_scale(0.5, 0.1, 0) is None


def test_a_mean_on_fishers_scale_comes_back():
    made = ranks.back_from_fisher(0.5, 0.1)
    assert made.value == pytest.approx(np.tanh(0.5))
    assert made.low == pytest.approx(np.tanh(0.5 - 1.959964 * 0.1))
    assert ranks.back_from_fisher(float("nan"), 0.1) is None


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("block", [1, 300, 2**17])
def test_groups_of_one_size_have_the_rho_and_the_error_of_each_by_itself(rng, monkeypatch, ties, block):
    x, y = rng.normal(size=(5, 3, 40)), rng.normal(size=(5, 4, 40))
    y[:, 0] += x[:, 1]
    x, y = (np.round(2 * each) if ties else each for each in (x, y))
    x[2, 1] = y[4, 3] = 1.0
    alone = [ranks.rank_correlations(*pair, Strata.of(None, 40)) for pair in zip(x, y, strict=True)]
    monkeypatch.setattr(ranks, "BLOCK", block)
    for together, each in zip(ranks.rank_correlations_in_each(x, y), zip(*alone, strict=True), strict=True):
        assert together.shape == (5, 3, 4)
        assert together == pytest.approx(np.stack(each), abs=1e-14, nan_ok=True)
        assert np.isnan(together).sum() == 4 + 3
