"""A run without levels has no tables over runs; one with them is held to its numbers in test_levels."""

from kinetic._report import over_runs


def test_arms_that_are_run_once_have_no_table_over_runs(full):
    assert over_runs.scores(full) == []
    assert over_runs.correlations(full) is None
    assert full.drawn == full.arms


def test_which_arms_hold_a_net_of_one_training_is_read_from_the_evidence(full):
    assert over_runs.trained_once(full) == full.evidence["one_training"]
