import numpy as np
import pytest
from scipy import stats

from kinetic.evidence._ranked import BLOCK, Ranked, standard_ranks


@pytest.fixture
def columns():
    rng = np.random.default_rng(1)
    return np.stack([rng.integers(0, 5, 30).astype(float), rng.normal(size=30), np.ones(30)])


def test_shares_are_mid_ranks_over_n(columns):
    assert Ranked.of(columns).shares == pytest.approx((stats.rankdata(columns, axis=1) - 0.5) / 30)


def test_their_variance_is_that_of_the_formula_with_ties(columns):
    ranked = Ranked.of(columns)
    assert ranked.spread[0][:, 0] == pytest.approx(ranked.shares.var(1))
    assert ranked.spread[1].mean(1) == pytest.approx(np.zeros(3), abs=1e-15)


def test_standard_shares_have_mean_0_and_variance_1_and_those_of_a_constant_are_0(columns):
    standard = Ranked.of(columns).standard
    assert standard.mean(1) == pytest.approx(np.zeros(3), abs=1e-12)
    assert standard.var(1) == pytest.approx([1.0, 1.0, 0.0])


def test_rows_are_the_columns_that_are_asked_for(columns):
    assert (Ranked.of(columns).rows(slice(1, 2)).order == Ranked.of(columns[1:2]).order).all()


def test_standard_ranks_of_some_columns_at_a_time_are_those_of_all():
    columns = np.random.default_rng(1).normal(size=(5, BLOCK // 2))
    assert (standard_ranks(columns) == Ranked.of(columns).standard).all()


def test_columns_in_groups_have_their_ranks_group_by_group(columns):
    groups = columns.reshape(3, 2, 15)
    assert Ranked.of(groups).shares == pytest.approx((stats.rankdata(groups, axis=-1) - 0.5) / 15)
