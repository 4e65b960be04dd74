import numpy as np
import pytest

from kinetic import evidence
from kinetic.errors import OptionError


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def test_shares_of_variance_sum_to_one_and_are_right_where_terms_are_independent(rng):
    n = 200_000
    x0, dot, x1, bending = (scale * rng.normal(size=n) for scale in (2.0, 1.0, 4.0, 0.5))
    kpe = 0.5 * x0 - dot + 0.5 * x1 + bending
    terms = {"x0": 0.5 * x0, "dot": -dot, "x1": 0.5 * x1, "bending": bending}
    shares = evidence.variance_shares(kpe, terms)
    assert list(shares) == list(terms)
    assert sum(share.value for share in shares.values()) == pytest.approx(1)
    for share, truth in zip(shares.values(), [1 / 6.25, 1 / 6.25, 4 / 6.25, 0.25 / 6.25], strict=True):
        assert share.value == pytest.approx(truth, abs=0.01)
        assert share.low < truth < share.high


def test_the_interval_of_a_share_covers_the_truth_as_often_as_it_says(rng):
    hits = []
    for _ in range(400):
        x, y = rng.normal(size=200), 2 * rng.normal(size=200)
        share = evidence.variance_shares(x + y, {"x": x})["x"]
        hits.append(share.low <= 0.2 <= share.high)
    assert 0.91 < np.mean(hits) < 0.98


def test_a_sum_that_is_the_same_for_all_has_no_shares_and_two_samples_no_interval():
    assert evidence.variance_shares([2.0, 2.0], {"x": [1.0, 3.0]}) == {}
    share = evidence.variance_shares([1.0, 2.0], {"x": [1.0, 2.0]})["x"]
    assert (share.value, share.low) == (1.0, None)


def test_a_term_of_another_length_is_refused():
    with pytest.raises(OptionError, match="equally long: 3 and 2"):
        evidence.variance_shares([1, 2, 3], {"x": [1, 2]})
