import numpy as np
import pytest
from scipy import stats

from kinetic import evidence
from kinetic.errors import OptionError


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def coverage(hits):
    """Share of hits, and whether 0.95 is within what 300 tries allow."""
    share = np.mean(hits)
    return 0.90 < share < 0.99, share


def test_the_interval_of_a_mean_covers_the_truth_as_often_as_it_says(rng):
    hits = []
    for _ in range(300):
        found = evidence.mean(rng.exponential(size=120))
        hits.append(found.low <= 1 <= found.high)
    assert coverage(hits)[0], coverage(hits)


def test_above_the_cached_size_the_interval_is_the_normal_one_and_agrees(rng):
    x = rng.exponential(size=5000)
    small, large = evidence.mean(x), evidence.mean(np.append(x, x.mean()))
    assert large.low == pytest.approx(small.low, abs=2e-3)
    assert large.high == pytest.approx(small.high, abs=2e-3)


def test_one_value_has_no_interval_and_equal_values_a_point():
    one, equal = evidence.mean([3.0]), evidence.mean([2.5] * 9)
    assert (one.value, one.low, one.high) == (3.0, None, None)
    assert (equal.value, equal.low, equal.high) == (2.5, 2.5, 2.5)


@pytest.mark.parametrize(("k", "n"), [(0, 20), (7, 20), (20, 20), (1, 3)])
def test_a_share_has_wilsons_interval(k, n):
    found = evidence.proportion(np.arange(n) < k)
    exact = stats.binomtest(k, n).proportion_ci(method="wilson")
    assert found.value == k / n
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-12)


def test_a_paired_difference_is_narrower_than_an_unpaired_one(rng):
    common = rng.normal(size=400)
    a, b = common + 0.05, common + 0.01 * rng.normal(size=400)
    found = evidence.paired_difference(a, b)
    assert found.value == pytest.approx((a - b).mean())
    assert found.low < 0.05 < found.high
    assert found.high - found.low < 0.003


def test_the_jackknife_of_a_mean_has_the_error_of_a_mean(rng):
    x = rng.normal(size=4000)
    groups = evidence.groups(np.arange(4000))
    left = [x[groups != g].mean() for g in range(evidence.GROUPS)]
    found = evidence.jackknife(x.mean(), left)
    half = (found.high - found.low) / 2
    assert half == pytest.approx(stats.t.ppf(0.975, 19) * x.std() / np.sqrt(4000), rel=0.5)


def test_the_interval_of_the_jackknife_covers_the_truth_as_often_as_it_says(rng):
    groups, hits = evidence.groups(np.arange(400)), []
    for _ in range(300):
        x = rng.normal(size=400)
        found = evidence.jackknife(x.var(), [x[groups != g].var() for g in range(evidence.GROUPS)])
        hits.append(found.low <= 1 <= found.high)
    assert coverage(hits)[0], coverage(hits)


def test_a_jackknifed_difference_is_paired_by_group(rng):
    x = rng.normal(size=1000)
    y = x + 0.1
    groups = evidence.groups(np.arange(1000))
    a, b = (evidence.jackknife(z.mean(), [z[groups != g].mean() for g in range(20)]) for z in (y, x))
    found = evidence.jackknife_difference(a, b)
    assert found.value == pytest.approx(0.1)
    assert found.high - found.low < 1e-9


@pytest.mark.parametrize("classes", [2, 7, 10, 20])
def test_the_groups_lean_to_no_class(classes):
    groups = evidence.groups(np.arange(4000))
    for c in range(classes):
        counts = np.bincount(groups[c::classes], minlength=20)
        assert counts.min() > 0.6 * 4000 / classes / 20
        assert counts.max() < 1.4 * 4000 / classes / 20


def test_rho_is_spearmans_with_ties(rng):
    table = {"e": rng.integers(0, 9, 300).astype(float), "s": rng.normal(size=300)}
    table["s"] += table["e"]
    (row,) = evidence.spearman(table, ["e"], ["s"])
    assert row.raw.value == pytest.approx(stats.spearmanr(table["e"], table["s"]).statistic, abs=1e-12)
    assert row.partial is None


def test_partial_rho_is_the_correlation_of_rank_residuals(rng):
    n = 250
    table = {name: rng.normal(size=n) for name in ("c1", "c2", "e", "s")}
    table["e"] += table["c1"]
    table["s"] += table["c1"] - table["c2"] + 0.3 * table["e"]
    (row,) = evidence.spearman(table, ["e"], ["s"], ["c1", "c2"])
    ranks = {name: stats.rankdata(column) for name, column in table.items()}
    design = np.stack([np.ones(n), ranks["c1"], ranks["c2"]], 1)
    e, s = (ranks[name] - design @ np.linalg.lstsq(design, ranks[name], rcond=None)[0] for name in ("e", "s"))
    assert row.partial.value == pytest.approx(np.corrcoef(e, s)[0, 1], abs=1e-10)
    assert row.partial.low < row.partial.value < row.partial.high


def test_the_interval_of_rho_covers_the_truth_as_often_as_it_says(rng):
    """Of a bivariate normal with correlation r, Spearman's rho is 6/pi asin(r/2)."""
    r, hits = 0.5, []
    truth = 6 / np.pi * np.arcsin(r / 2)
    for _ in range(300):
        x = rng.normal(size=200)
        y = r * x + np.sqrt(1 - r * r) * rng.normal(size=200)
        (row,) = evidence.spearman({"x": x, "y": y}, ["x"], ["y"])
        hits.append(row.raw.low <= truth <= row.raw.high)
    assert coverage(hits)[0], coverage(hits)


def test_a_constant_or_a_function_of_the_controls_has_no_rho(rng):
    x, c = rng.normal(size=50), rng.normal(size=50)
    table = {"x": x, "flat": np.full(50, 3.0), "noise": 1 + 1e-9 * x, "c": c, "c3": c**3}
    rows = evidence.spearman(table, ["x", "c3"], ["flat", "noise", "x"], ["c"])
    found = {(row.energy, row.score): row for row in rows}
    assert found["x", "flat"].raw is None
    assert found["x", "noise"].raw is None
    assert found["x", "x"].raw is None
    assert found["c3", "x"].raw is not None
    assert found["c3", "x"].partial is None
    assert evidence.expected_false(rows) == pytest.approx(0.05)


def test_shares_of_variance_sum_to_one_and_are_right_where_terms_are_independent(rng):
    n = 200_000
    x0, dot, x1, bending = (scale * rng.normal(size=n) for scale in (2.0, 1.0, 4.0, 0.5))
    kpe = 0.5 * x0 - dot + 0.5 * x1 + bending
    terms = {"x0": 0.5 * x0, "dot": -dot, "x1": 0.5 * x1, "bending": bending}
    shares = evidence.variance_shares(kpe, terms)
    assert list(shares) == list(terms)
    assert sum(shares.values()) == pytest.approx(1)
    assert list(shares.values()) == pytest.approx([1 / 6.25, 1 / 6.25, 4 / 6.25, 0.25 / 6.25], abs=0.01)


def test_low_and_high_fifths_are_those_of_the_energy(rng):
    energy = rng.permutation(100).astype(float)
    low, high, difference = evidence.quantile_groups(energy, 2 * energy)
    assert (low.value, high.value, difference.value) == (2 * 9.5, 2 * 89.5, 160.0)
    assert difference.low < 160 < difference.high


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: evidence.mean([1.0, float("nan")]), "'values' must be finite: 1 of 2 values are not"),
        (lambda: evidence.mean([]), "'values' must be a column"),
        (lambda: evidence.proportion([0, 2]), "'hits' must be true or false"),
        (lambda: evidence.paired_difference([1, 2], [1]), "equally long: 2 and 1"),
        (lambda: evidence.jackknife(1.0, [1.0]), "2 groups or more: 1"),
        (lambda: evidence.quantile_groups([1, 2], [1, 2], 0.7), "'q' must be a number > 0 and <= 0.5: 0.7"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(OptionError) as caught:
        call()
    assert said in str(caught.value)


def test_an_estimate_is_shown_in_few_digits_without_what_it_keeps():
    assert repr(evidence.jackknife(0.123456, np.full(20, 0.123456))) == "Estimate(0.1235 [0.1235, 0.1235])"
    assert repr(evidence.Estimate(12345.6)) == "Estimate(1.235e+04)"


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ((1.5, 1.0, 2.0), (1.5, 1.0, 2.0)),
        ((1.5, None, None), (1.5, None, None)),
        ((NAN, None, None), (None, None, None)),
        ((-INF, 1.0, 2.0), (None, None, None)),
        ((1.5, 1.0, INF), (1.5, None, None)),
        ((1.5, NAN, NAN), (1.5, None, None)),
    ],
)
def test_what_is_no_finite_number_is_written_as_none(given, kept):
    assert tuple(evidence.Estimate(*given).to_json().values()) == kept


def test_two_jackknives_have_the_variance_of_both(rng):
    """A mean of samples less one of a reference: its variance is the sum of theirs."""
    x, y = rng.normal(size=400), 2 * rng.normal(size=300)
    left, right = ([z[evidence.groups(np.arange(len(z))) != g].mean() for g in range(20)] for z in (x, y))
    found = evidence.two_jackknives(x.mean() - y.mean(), np.array(left) - y.mean(), x.mean() - np.array(right))
    halves = [evidence.jackknife(0.0, part).high for part in (left, right)]
    assert found.high - found.value == pytest.approx(np.hypot(*halves), rel=1e-12)
    assert (found.low + found.high) / 2 == pytest.approx(found.value)
    assert len(found.leave_out) == len(found.leave_out_reference) == 20
    with pytest.raises(OptionError, match="2 groups or more: 1"):
        evidence.two_jackknives(1.0, left, [1.0])


def test_a_difference_over_draws_of_the_reference_is_of_the_unbiased_values_and_paired_on_both_sides(rng):
    """The second of two statistics is the first and 1 more, but for noise of its own in the reference."""
    left, right, own = rng.normal(size=(3, 20))
    a = evidence.Estimate(5.0, leave_out=left + 1, leave_out_reference=right + own, unbiased=-3.0)
    b = evidence.Estimate(1.0, leave_out=left, leave_out_reference=right, unbiased=-2.0)
    found = evidence.jackknife_difference(a, b)
    assert found.value == -1.0
    assert found.high - found.value == pytest.approx(evidence.jackknife(0.0, own).high, rel=1e-12)


@pytest.mark.parametrize("more", [{"leave_out_reference": np.arange(10.0)}, {}, {"unbiased": 1.0}, {"leave_out": None}])
def test_what_left_out_other_groups_or_has_another_bias_is_not_subtracted(more):
    column = np.arange(20.0)
    one = evidence.Estimate(1.0, None, None, column, column, 1.0)
    other = evidence.Estimate(1.0, **({"leave_out": column} | more))
    assert not evidence.comparable(one, other)
    with pytest.raises(OptionError, match="same groups of samples and of the reference"):
        evidence.jackknife_difference(one, other)
    assert evidence.comparable(one, one)


def test_a_difference_that_no_group_matters_to_has_no_interval():
    """As of two coverages of 0: [0, 0] would be a certainty that there is not."""
    none = evidence.Estimate(0.0, leave_out=np.zeros(20), leave_out_reference=np.zeros(20), unbiased=0.0)
    for pair in ((none, none), (evidence.Estimate(2.0, leave_out=np.full(20, 2.0)),) * 2):
        found = evidence.jackknife_difference(*pair)
        assert (found.value, found.low, found.high) == (0.0, None, None)


def test_a_difference_from_what_is_no_number_is_none_and_has_no_interval():
    good = evidence.Estimate(1.0, 0.5, 1.5, np.array([1.0, 1.2, 0.9]))
    for bad in (
        evidence.Estimate(NAN, None, None, np.array([1.0, 1.0, 1.0])),
        evidence.Estimate(2.0, None, None, np.array([1.0, NAN, 1.0])),
    ):
        found = evidence.jackknife_difference(good, bad)
        assert (found.low, found.high) == (None, None)
        assert found.value == pytest.approx(1.0 - bad.value, nan_ok=True)
