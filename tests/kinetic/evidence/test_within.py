import numpy as np
import pytest
from scipy import stats

from kinetic import evidence
from kinetic.evidence._strata import Strata
from kinetic.evidence._within import within_strata


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def test_the_mean_is_that_of_fishers_z_and_q_is_cochrans(rng):
    labels = np.repeat([0, 1, 2], [30, 50, 90])
    x, y = rng.normal(size=(2, 170))
    y = y + 0.5 * x
    mean, _, q, q_p = within_strata(x[None], y[None], Strata.of(labels, 170))
    z = np.array([np.arctanh(stats.spearmanr(x[labels == h], y[labels == h]).statistic) for h in range(3)])
    weights = np.array([27, 47, 87])
    expected = (weights * z).sum() / weights.sum()
    assert mean[0, 0] == pytest.approx(expected)
    statistic = (weights * (z - expected) ** 2).sum() / (1 + np.tanh(expected) ** 2 / 2)
    assert q[0, 0] == pytest.approx(statistic)
    assert q_p[0, 0] == pytest.approx(stats.chi2.sf(statistic, 2))


def test_what_only_classes_bring_about_is_pooled_and_not_within(rng):
    labels = np.arange(1000) % 10
    table = {"x": labels + rng.normal(size=1000), "y": -labels + rng.normal(size=1000)}
    (row,) = evidence.spearman(table, ["x"], ["y"], strata=labels)
    assert row.raw.high < -0.8
    assert row.within.low < 0 < row.within.high
    assert row.q_p > 0.01


def test_classes_that_differ_are_seen_to(rng):
    labels = np.arange(1000) % 10
    x, noise = rng.normal(size=(2, 1000))
    table = {"x": x, "y": noise + np.where(labels < 5, 1.0, -1.0) * x}
    (row,) = evidence.spearman(table, ["x"], ["y"], strata=labels)
    assert row.q_p < 1e-6


def test_the_interval_covers_and_q_keeps_its_level(rng):
    covered, different, labels, rho = [], [], np.arange(400) % 10, 6 / np.pi * np.arcsin(0.2)
    for _ in range(300):
        x = rng.normal(size=400)
        y = 0.4 * x + np.sqrt(1 - 0.16) * rng.normal(size=400)
        (row,) = evidence.spearman({"x": x + labels, "y": y - labels}, ["x"], ["y"], strata=labels)
        covered.append(row.within.low <= rho <= row.within.high)
        different.append(row.q_p < 0.05)
    assert 0.90 < np.mean(covered) < 0.98
    assert np.mean(different) < 0.09


def test_small_classes_and_constant_ones_have_no_part(rng):
    x, y = rng.normal(size=(2, 49))
    labels = np.repeat([0, 1, 2], [20, 20, 9])
    y[labels == 1] = 3.0
    assert np.isnan(within_strata(x[None], y[None], Strata.of(labels, 49))[0]).all()
    y[labels == 1] = x[labels == 1]
    assert np.isfinite(within_strata(x[None], y[None], Strata.of(labels, 49))[0]).all()
    assert np.isnan(within_strata(x[None], y[None], Strata.of(np.arange(49) // 9, 49))[0]).all()


def test_classes_of_many_sizes_are_each_their_own(rng):
    """Classes of one size are worked on together; the z of each goes with its own weight."""
    sizes = rng.integers(8, 14, size=40)
    labels = rng.permutation(np.repeat(np.arange(40), sizes))
    x = rng.normal(size=len(labels))
    y = rng.normal(size=len(labels)) + np.where(labels % 2, 0.8, -0.2) * x
    mean, _, q, _ = within_strata(x[None], y[None], Strata.of(labels, len(labels)))
    there = [h for h in range(40) if sizes[h] >= 10]
    z = np.arctanh([stats.spearmanr(x[labels == h], y[labels == h]).statistic for h in there])
    weights = sizes[there] - 3
    assert mean[0, 0] == pytest.approx((weights * z).sum() / weights.sum())
    expected = (weights * (z - mean[0, 0]) ** 2).sum() / (1 + np.tanh(mean[0, 0]) ** 2 / 2)
    assert q[0, 0] == pytest.approx(expected)
