"""The area under the ROC curve against scikit-learn, all pairs, and DeLong's own covariance formula."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from kinetic import evidence
from kinetic.errors import OptionError


def test_the_area_is_scikit_learns_ties_included():
    rng = np.random.default_rng(0)
    hits = rng.random(300) < 0.3
    for signal in (rng.normal(size=300) + hits, rng.integers(0, 4, 300) + hits):
        assert evidence.auc(signal, hits).value == pytest.approx(roc_auc_score(hits, signal), abs=1e-14)


def test_the_standard_error_is_delongs_by_all_pairs():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=14) + 1, np.round(rng.normal(size=22), 1)
    kernel = (x[:, None] > y) + 0.5 * (x[:, None] == y)
    se = np.sqrt(kernel.mean(1).var(ddof=1) / 14 + kernel.mean(0).var(ddof=1) / 22)
    found = evidence.auc(np.concatenate([x, y]), np.arange(36) < 14)
    assert found.se == pytest.approx(se)
    logit = np.log(
        np.array([found.low, found.value, found.high]) / (1 - np.array([found.low, found.value, found.high]))
    )
    assert np.diff(logit) == pytest.approx([1.959964 * se / (found.value * (1 - found.value))] * 2, rel=1e-6)


def test_intervals_cover_the_area_of_two_normals_and_differences_of_equal_signals_cover_0():
    """P(X > Y) = Phi(d / sqrt 2) for N(d, 1) and N(0, 1)."""
    rng, held, none = np.random.default_rng(2), 0, 0
    hits = np.arange(200) < 60
    for _ in range(400):
        one, other = rng.normal(size=(2, 200)) + hits
        found, apart = evidence.auc(one, hits), evidence.auc_difference(one, other, hits)
        held += found.low < 0.760250 < found.high
        none += apart.sign == 0
    assert 0.92 < held / 400 < 0.98
    assert 0.92 < none / 400 < 0.98


def test_a_perfect_signal_has_no_interval_and_unusable_columns_are_refused():
    perfect = evidence.auc([0.0, 1.0, 2.0, 3.0], [False, False, True, True])
    assert (perfect.value, perfect.low) == (1.0, None)
    assert evidence.auc_difference([0.0, 1, 2, 3], [0.0, 1, 2, 3], [0, 0, 1, 1]).low is None
    with pytest.raises(OptionError, match="two or more of each kind: 1 hits, 2 misses"):
        evidence.auc([1.0, 2.0, 3.0], [1, 0, 0])
    with pytest.raises(OptionError, match="'hits' must hold true and false"):
        evidence.auc([1.0, 2.0, 3.0], [2, 0, 0])
