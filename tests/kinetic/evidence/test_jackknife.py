import numpy as np
import pytest
from scipy import stats

from kinetic import evidence
from kinetic.errors import OptionError

NAN = float("nan")


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def test_the_jackknife_of_a_mean_has_the_error_of_a_mean(rng):
    x = rng.normal(size=4000)
    groups = evidence.groups(np.arange(4000))
    left = [x[groups != g].mean() for g in range(evidence.GROUPS)]
    estimate = evidence.jackknife(x.mean(), left)
    half = (estimate.high - estimate.low) / 2
    assert half == pytest.approx(stats.t.ppf(0.975, 19) * x.std() / np.sqrt(4000), rel=0.5)


def test_the_interval_of_the_jackknife_covers_the_truth_as_often_as_it_says(rng):
    groups, hits = evidence.groups(np.arange(400)), []
    for _ in range(300):
        x = rng.normal(size=400)
        estimate = evidence.jackknife(x.var(), [x[groups != g].var() for g in range(evidence.GROUPS)])
        hits.append(estimate.low <= 1 <= estimate.high)
    assert 0.90 < np.mean(hits) < 0.99


def test_a_jackknifed_difference_is_paired_by_group(rng):
    x = rng.normal(size=1000)
    y = x + 0.1
    groups = evidence.groups(np.arange(1000))
    a, b = (evidence.jackknife(z.mean(), [z[groups != g].mean() for g in range(20)]) for z in (y, x))
    estimate = evidence.jackknife_difference(a, b)
    assert estimate.value == pytest.approx(0.1)
    assert estimate.high - estimate.low < 1e-9


@pytest.mark.parametrize("classes", [2, 7, 10, 20])
def test_the_groups_lean_to_no_class(classes):
    groups = evidence.groups(np.arange(4000))
    for c in range(classes):
        counts = np.bincount(groups[c::classes], minlength=20)
        assert counts.min() > 0.6 * 4000 / classes / 20
        assert counts.max() < 1.4 * 4000 / classes / 20


def test_a_difference_from_what_is_no_number_is_none_and_has_no_interval():
    good = evidence.Estimate(1.0, 0.5, 1.5, np.array([1.0, 1.2, 0.9]))
    for bad in (
        evidence.Estimate(NAN, None, None, np.array([1.0, 1.0, 1.0])),
        evidence.Estimate(2.0, None, None, np.array([1.0, NAN, 1.0])),
    ):
        estimate = evidence.jackknife_difference(good, bad)
        assert (estimate.low, estimate.high) == (None, None)
        assert estimate.value == pytest.approx(1.0 - bad.value, nan_ok=True)


def test_the_standard_error_goes_with_the_interval():
    made = evidence.jackknife(1.0, [1.0, 1.2, 0.9])
    assert made.dof == 2
    assert made.high - made.value == pytest.approx(stats.t.ppf(0.975, 2) * made.se)


def test_one_group_is_refused():
    with pytest.raises(OptionError, match="2 groups or more: 1"):
        evidence.jackknife(1.0, [1.0])


def test_two_jackknives_add_the_variances_of_samples_and_reference(rng):
    samples, reference = rng.normal(size=(2, 20))
    both = evidence.two_jackknives(1.0, samples, reference)
    parts = [evidence.jackknife(1.0, theta).se for theta in (samples, reference)]
    assert both.se == pytest.approx(np.hypot(*parts))
    assert both.high - both.low == pytest.approx(2 * 2.0930240544 * both.se)


def test_a_difference_is_of_unbiased_values_and_over_the_reference_where_both_have_them(rng):
    a, b = (
        evidence.Estimate(value, leave_out=x, leave_out_reference=y, unbiased=value - 1)
        for value, x, y in ((5.0, *rng.normal(size=(2, 20))), (3.0, *rng.normal(size=(2, 20))))
    )
    difference = evidence.jackknife_difference(a, b)
    expected = evidence.two_jackknives(2.0, a.leave_out - b.leave_out, a.leave_out_reference - b.leave_out_reference)
    assert (difference.value, difference.se) == (2.0, expected.se)
    fixed = evidence.Estimate(3.0, leave_out=b.leave_out)
    assert not evidence.comparable(a, fixed)
    with pytest.raises(OptionError, match="leave-out values over the same groups"):
        evidence.jackknife_difference(a, fixed)


def test_where_no_group_matters_there_is_no_interval():
    same = evidence.Estimate(0.0, leave_out=np.zeros(20))
    assert evidence.jackknife_difference(same, same).low is None
