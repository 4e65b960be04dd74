import numpy as np
import pytest
from scipy import stats

from kinetic import evidence
from kinetic.errors import OptionError


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.mark.parametrize(("k", "n"), [(0, 20), (7, 20), (20, 20), (1, 3)])
def test_a_share_has_wilsons_interval(k, n):
    share = evidence.proportion(np.arange(n) < k)
    exact = stats.binomtest(k, n).proportion_ci(method="wilson")
    assert share.value == k / n
    assert (share.low, share.high) == pytest.approx((exact.low, exact.high), abs=1e-12)
    assert share.se > 0


def pairs(both, only_a, only_b, neither):
    a = np.repeat([True, True, False, False], [both, only_a, only_b, neither])
    b = np.repeat([True, False, True, False], [both, only_a, only_b, neither])
    return a, b


def test_the_interval_is_tangos():
    """Of Bentur et al. (2009), in Fagerland, Lydersen & Laake, Analysis of Contingency Tables, chapter 8."""
    difference = evidence.tango(*pairs(1, 1, 7, 12))
    assert difference.value == pytest.approx(-6 / 21)
    assert (difference.low, difference.high) == pytest.approx((-0.517, -0.026), abs=5e-4)


@pytest.mark.parametrize("cells", [(30, 5, 2, 13), (100, 1, 0, 99), (0, 40, 10, 0), (9, 0, 3, 8)])
def test_at_each_end_the_score_test_is_just_at_its_bound(cells):
    """The likelihood at d is maximised by brute force, not by the formula."""
    difference = evidence.tango(*pairs(*cells))
    _, y, m, _ = cells
    n = sum(cells)
    for d in (difference.low, difference.high):
        q = np.linspace(max(0, -d), (1 - d) / 2, 2_000_001)[1:-1]
        likelihood = y * np.log(q + d) + m * np.log(q) + (n - y - m) * np.log(1 - 2 * q - d)
        best = q[np.argmax(likelihood)]
        assert abs(y - m - n * d) / np.sqrt(n * (2 * best + d * (1 - d))) == pytest.approx(1.96, abs=2e-3)


def test_swapping_the_columns_turns_the_interval_round():
    a, b = pairs(10, 7, 2, 11)
    one, other = evidence.tango(a, b), evidence.tango(b, a)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-9)


@pytest.mark.parametrize("cells", [(40, 0, 0, 0), (0, 0, 0, 40), (0, 40, 0, 0), (0, 0, 40, 0), (1, 0, 0, 0)])
def test_no_difference_is_known_exactly(cells):
    difference = evidence.tango(*pairs(*cells))
    assert -1 <= difference.low <= difference.value <= difference.high <= 1
    assert difference.high - difference.low > 0.08
    assert difference.se > 0


@pytest.mark.parametrize("lost", [0.002, 0.004, 0.05])
def test_the_interval_of_losses_in_one_direction_covers_the_truth(rng, lost):
    hits = []
    for _ in range(400):
        b = rng.random(500) < lost
        difference = evidence.tango(np.ones(500, bool), ~b)
        hits.append(difference.low <= lost <= difference.high)
    assert np.mean(hits) > 0.92


def test_classes_that_ids_fix_make_both_intervals_narrower_and_they_still_cover(rng):
    n = 500
    labels = np.arange(n) % 10
    p, change = np.linspace(0.02, 0.98, 10)[labels], np.linspace(0, 0.6, 10)[labels]
    shares, differences, ratios = [], [], []
    for _ in range(400):
        a = rng.random(n) < p
        b = a & (rng.random(n) >= change)
        share, difference = evidence.proportion(a, labels), evidence.tango(a, b, labels)
        shares.append(share.low <= 0.5 <= share.high)
        differences.append(difference.low <= (p * change).mean() <= difference.high)
        ratios.append(share.se / evidence.proportion(a).se)
    assert 0.92 < np.mean(shares) < 0.99
    assert 0.92 < np.mean(differences) < 0.99
    assert np.mean(ratios) < 0.85


def test_classes_that_say_all_yes_or_all_no_leave_an_interval():
    labels = np.arange(40) % 2
    share = evidence.proportion(labels == 1, labels)
    assert share.value == 0.5
    assert share.high - share.low > 0.1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: evidence.proportion([0, 2]), "'hits' must be true or false"),
        (lambda: evidence.tango([0, 1], [0, 3]), "'b' must be true or false"),
        (lambda: evidence.tango([0, 1], [0]), "equally long: 2 and 1"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(OptionError) as caught:
        call()
    assert message in str(caught.value)
