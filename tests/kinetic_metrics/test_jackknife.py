import numpy as np
from kinetic_metrics.jackknife import LEAST, jackknife_groups, no_interval, over_both

from kinetic import Estimate, evidence


def test_wide_features_leave_out_fewer_groups_and_the_widest_none():
    assert [jackknife_groups(width, 2048) for width in (1, 512, 513, 2048, 2049)] == [20, 20, 10, 10, 1]
    assert jackknife_groups(100, 64) == 1


def test_a_missing_interval_says_what_is_missing():
    assert LEAST == 60
    assert no_interval(59, 3, 8) == "No interval: 59 samples, below 60."
    assert no_interval(60, 9, 8) == "No interval: 9 features, above 8."


def test_the_interval_over_draws_of_the_reference_is_said_and_cut_off_where_the_score_ends():
    left, right = np.random.default_rng(0).normal(size=(2, 20))
    value = Estimate(0.9, leave_out=left, leave_out_reference=right, unbiased=0.8)
    known = evidence.two_jackknives(0.8, left, right)
    (note,) = over_both(value, "recall")
    assert note == (
        "The interval of recall is given this reference; over draws of the reference as well it is "
        f"[{known.low:.4g}, {known.high:.4g}]."
    )
    assert "[0, 1]" in over_both(value, least=0, most=1)[0]
    assert over_both(Estimate(0.9, leave_out=left)) == []
