import numpy as np
import pytest
from scipy import stats

from kinetic import evidence
from kinetic.errors import OptionError


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def covered(draw, truth, tries=400):
    """The share of intervals that hold the truth."""
    made = [draw() for _ in range(tries)]
    return np.mean([each.low <= truth <= each.high for each in made])


@pytest.mark.parametrize("n", [20, 49, 50, 120])
def test_the_interval_of_a_mean_covers_the_truth_as_often_as_it_says(rng, n):
    assert 0.92 < covered(lambda: evidence.mean(rng.normal(size=n)), 0.0) < 0.98


def test_below_fifty_numbers_the_interval_is_students(rng):
    x = rng.normal(size=49)
    of_49, of_50 = evidence.mean(x), evidence.mean(np.append(x, 0.3))
    assert (of_49.low, of_49.high) == pytest.approx(stats.t.interval(0.95, 48, x.mean(), stats.sem(x)))
    assert (of_49.se, of_49.dof) == (pytest.approx(stats.sem(x)), 48)
    assert of_50.dof is None
    assert of_50.high - of_50.low == pytest.approx(2 * 1.96 * of_50.se, rel=0.1)


def test_above_the_cached_size_the_interval_is_the_normal_one_and_agrees(rng):
    x = rng.exponential(size=5000)
    small, large = evidence.mean(x), evidence.mean(np.append(x, x.mean()))
    assert large.low == pytest.approx(small.low, abs=2e-3)
    assert large.high == pytest.approx(small.high, abs=2e-3)
    assert (large.low, large.high) == pytest.approx(stats.norm.interval(0.95, large.value, large.se))


def test_one_value_has_no_interval_and_equal_values_a_point():
    one, equal = evidence.mean([3.0]), evidence.mean([2.5] * 9)
    assert (one.value, one.low, one.high) == (3.0, None, None)
    assert (equal.value, equal.low, equal.high) == (2.5, 2.5, 2.5)


@pytest.mark.parametrize("n", [40, 400, 6000])
def test_classes_that_ids_fix_are_no_spread_of_a_mean(rng, n):
    labels = np.arange(n) % 10
    draw = 3.0 * (labels - 4.5) + rng.normal(size=n)
    pooled, stratified = evidence.mean(draw), evidence.mean(draw, labels)
    assert stratified.value == pooled.value
    assert stratified.se == pytest.approx(1 / np.sqrt(n), rel=0.25)
    assert pooled.high - pooled.low > 5 * (stratified.high - stratified.low)
    assert 0.92 < covered(lambda: evidence.mean(3.0 * (labels - 4.5) + rng.normal(size=n), labels), 0.0, 200) < 0.98


def test_a_paired_difference_is_narrower_than_an_unpaired_one(rng):
    common = rng.normal(size=400)
    a, b = common + 0.05, common + 0.01 * rng.normal(size=400)
    difference = evidence.paired_difference(a, b)
    assert difference.value == pytest.approx((a - b).mean())
    assert difference.low < 0.05 < difference.high
    assert difference.high - difference.low < 0.003


def test_a_paired_difference_of_yes_and_no_is_never_a_point():
    same = np.ones(200, bool)
    difference = evidence.paired_difference(same, same)
    assert difference.value == 0
    assert (difference.low, difference.high) == pytest.approx((-3.8415 / 203.8415, 3.8415 / 203.8415), abs=1e-5)
    assert evidence.paired_difference(same, ~same).low < 1


@pytest.mark.parametrize("between", [0.0, 3.0])
def test_the_interval_over_five_runs_covers_whatever_the_spread_between_them_is(rng, between):
    share = covered(lambda: evidence.over_runs(between * rng.normal(size=5) + rng.normal(size=5)), 0.0)
    assert 0.92 < share < 0.98


def test_one_run_has_no_interval_and_the_words_for_it():
    assert evidence.over_runs([0.47]).low is None
    assert evidence.ONE_TRAINING == "one training: holds for this net only"
    two = evidence.over_runs([0.4, 0.6])
    assert (two.low, two.high) == pytest.approx(stats.t.interval(0.95, 1, 0.5, 0.1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: evidence.mean([1.0, float("nan")]), "'values' must be finite: 1 of 2 values are not"),
        (lambda: evidence.mean([]), "'values' must be a column"),
        (lambda: evidence.paired_difference([1, 2], [1]), "equally long: 2 and 1"),
        (lambda: evidence.mean([1, 2], [0]), "'strata' must be a label for each of the 2 samples"),
        (lambda: evidence.over_runs([]), "'values' must be a column"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(OptionError) as caught:
        call()
    assert message in str(caught.value)


def test_one_more_number_lies_in_its_range_nineteen_times_in_twenty():
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(4000, 11))
    ranges = [evidence.one_more(draw[:10]) for draw in draws]
    inside = [known.low <= draw[10] <= known.high for known, draw in zip(ranges, draws, strict=True)]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.01)
    alone, widened = evidence.one_more(draws[0][:10]), evidence.one_more(draws[0][:10], 3.0)
    assert widened.high - widened.low == pytest.approx(3 * (alone.high - alone.low))
