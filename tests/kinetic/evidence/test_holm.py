import numpy as np
import pytest
from scipy import stats

from kinetic import evidence
from kinetic.errors import OptionError


def test_adjusted_p_values_are_holms():
    """By hand: .005 x 4, .01 x 3, then never less than the one before."""
    assert evidence.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert evidence.holm([0.9, 0.8]) == [1.0, 1.0]
    assert evidence.holm([]) == []


def test_a_claim_of_ten_without_effects_holds_in_one_run_of_twenty():
    p = 2 * stats.norm.sf(np.abs(np.random.default_rng(1).normal(size=(2000, 10))))
    share = np.mean([min(evidence.holm(row)) <= 0.05 for row in p])
    assert 0.035 < share < 0.065


@pytest.mark.parametrize("bad", [[1.5], [float("nan")], [-0.1]])
def test_what_is_no_p_value_is_refused(bad):
    with pytest.raises(OptionError, match="'p_values' must be numbers of"):
        evidence.holm(bad)
