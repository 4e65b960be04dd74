import numpy as np
import pytest
from scipy import stats

from kinetic import evidence
from kinetic.errors import OptionError


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def test_low_and_high_fifths_are_those_of_the_energy(rng):
    energy = rng.permutation(100).astype(float)
    low, high, difference = evidence.quantile_groups(energy, 2 * energy)
    assert (low.value, high.value, difference.value) == (2 * 9.5, 2 * 89.5, 160.0)
    assert difference.low < 160 < difference.high
    assert difference.dof == 19


def test_a_score_that_is_the_energy_has_the_error_of_a_winsorised_mean():
    """The influence function of a one-sided trimmed mean, at the quantiles of a uniform energy."""
    energy = (np.arange(10_000) + 0.5) / 10_000
    low, _, _ = evidence.quantile_groups(energy, energy)
    psi = np.where(energy <= 0.2, energy - 0.2, 0.0) / 0.2
    assert low.se == pytest.approx(psi.std() / 100, rel=0.02)


@pytest.mark.parametrize("n", [200, 1000])
def test_the_intervals_hold_that_the_threshold_moves(rng, n):
    top = stats.norm.pdf(stats.norm.ppf(0.8)) / 0.2
    hits = np.empty((300, 3), bool)
    for k in range(300):
        e = rng.normal(size=n)
        s = 0.9 * e + np.sqrt(1 - 0.81) * rng.normal(size=n)
        groups = evidence.quantile_groups(e, s)
        hits[k] = [g.low <= t <= g.high for g, t in zip(groups, 0.9 * top * np.array([-1, 1, 2]), strict=True)]
    assert (hits.mean(0) > 0.905).all()
    assert (hits.mean(0) < 0.99).all()


def test_classes_that_ids_fix_make_the_intervals_narrower(rng):
    labels = np.arange(500) % 5
    e, s = rng.normal(size=500), 5.0 * labels + rng.normal(size=500)
    pooled, stratified = (evidence.quantile_groups(e, s, strata=strata)[0] for strata in (None, labels))
    assert stratified.value == pooled.value
    assert stratified.se < 0.95 * pooled.se


def test_groups_of_one_sample_have_no_interval():
    assert [each.low for each in evidence.quantile_groups([1, 2, 3], [1, 2, 3])] == [None] * 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: evidence.quantile_groups([1, 2], [1, 2], 0.7), "'q' must be a number > 0 and <= 0.5: 0.7"),
        (lambda: evidence.quantile_groups([1, 2, 3], [1, 2]), "equally long: 3 and 2"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(OptionError) as caught:
        call()
    assert message in str(caught.value)


def test_samples_put_in_order_once_give_every_score_its_groups(rng):
    energy, scores, labels = np.round(rng.normal(size=300), 1), rng.normal(size=(3, 300)), np.arange(300) % 7
    groups = evidence.QuantileGroups.of(energy, strata=labels)
    for score in scores:
        alone = evidence.quantile_groups(energy, score, strata=labels)
        assert [each.to_json() for each in groups.means(score)] == [each.to_json() for each in alone]
        assert alone[0].value == score[np.argsort(energy, kind="stable")[:60]].mean()
    with pytest.raises(OptionError, match="equally long: 300 and 299"):
        groups.means(scores[0, 1:])
