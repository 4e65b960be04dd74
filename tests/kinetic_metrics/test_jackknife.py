from kinetic_metrics.jackknife import LEAST, jackknife_groups, no_interval


def test_wide_features_leave_out_fewer_groups_and_the_widest_none():
    assert [jackknife_groups(width, 2048) for width in (1, 512, 513, 2048, 2049)] == [20, 20, 10, 10, 1]
    assert jackknife_groups(100, 64) == 1


def test_a_missing_interval_says_what_is_missing():
    assert LEAST == 60
    assert no_interval(59, 3, 8) == "No interval: 59 samples, below 60."
    assert no_interval(60, 9, 8) == "No interval: 9 features, above 8."
