"""What several numbers say of one claim."""

import math

import numpy as np
import pytest

from kinetic import evidence
from kinetic.errors import OptionError
from kinetic.evidence import Estimate, Finding


def estimate(value, half):
    return Estimate(value, value - half, value + half, se=half / 1.959964)


def word(views, direction, delta, **more):
    return evidence.decide(evidence.finding(views, direction, delta), **more).word


@pytest.mark.parametrize(
    ("views", "direction", "expected"),
    [
        ([(-0.3, 0.1), (-0.2, 0.1)], "lower", "holds"),
        ([(-0.3, 0.1), (0.2, 0.1)], "lower", "undecided"),  # one of two views is on the other side
        ([(0.3, 0.1), (0.2, 0.1)], "lower", "does not hold"),
        ([(-0.05, 0.02), (-0.06, 0.02)], "lower", "holds, negligible"),
        ([(-0.05, 0.02), (-0.3, 0.02)], "lower", "holds"),  # small in one view only
        ([(0.3, 0.1), (-0.3, 0.1)], "either", "undecided"),  # the views are on different sides
        ([(0.3, 0.1), (0.3, 0.1)], "either", "holds"),
        ([(0.01, 0.05), (-0.01, 0.05)], "equal", "holds"),
        ([(0.01, 0.05), (0.3, 0.05)], "equal", "undecided"),
        ([(0.4, 0.05), (0.3, 0.05)], "equal", "does not hold"),
        ([(0.4, 0.05), (-0.3, 0.05)], "equal", "undecided"),
    ],
)
def test_an_effect_seen_in_several_views_must_be_so_in_all(views, direction, expected):
    assert word([estimate(*view) for view in views], direction, 0.1) == expected


def test_a_number_without_scatter_that_is_equal_is_equal():
    same = Estimate(0.0, 0.0, 0.0, se=0.0)
    assert word([same], "equal", 0.1) == "holds"
    assert word([same], "equal", 0.0) == "undecided"  # nothing can be nearer than nothing
    assert word([same], "higher", 0.1) == "does not hold"


def test_the_p_values_are_those_of_the_intervals():
    """z = 2 and delta at z = 5: two-sided .0455, and .0027 for the three standard errors up to delta."""
    known = evidence.finding([estimate(0.2, 0.1 * 1.959964)], "higher", 0.5)
    assert known.p == pytest.approx(0.0455003, rel=1e-4)
    assert known.against == pytest.approx(0.0026998, rel=1e-4)
    equal = evidence.finding([estimate(0.2, 0.1 * 1.959964)], "equal", 0.5)
    assert equal.p == pytest.approx(0.0026998 / 2, rel=1e-4)  # one-sided
    assert equal.against == 1.0


def test_nothing_speaks_where_there_is_no_interval():
    assert evidence.finding([estimate(0.2, 0.1), Estimate(0.2)], "higher", 0.1) == Finding()
    assert evidence.finding([], "higher", 0.1) == Finding()
    assert evidence.decide(Finding(), 10) == evidence.Verdict("undecided")
    assert evidence.joint([]) == Finding()


def test_a_claim_of_several_parts_holds_where_all_do_and_fails_where_one_does():
    yes, no = Finding(0.001, 1.0, 1.0, math.inf), Finding(1.0, 0.001, math.inf, 1.0)
    unknown = Finding(0.5, 0.5, 4.0, 9.0)
    said = [evidence.decide(evidence.joint(parts)).word for parts in ([yes, yes], [yes, no], [yes, unknown])]
    assert said == ["holds", "does not hold", "undecided"]
    assert evidence.joint([yes, Finding(1.0, 0.03)]).against == pytest.approx(0.06)
    assert evidence.decide(evidence.joint([yes, unknown]), 100).n_to_decide == 400


def test_a_claim_of_three_arms_at_the_smallest_effect_that_matters_is_refuted_in_one_run_of_twenty():
    rng, said = np.random.default_rng(0), []
    for _ in range(1000):
        parts = [evidence.finding([evidence.mean(0.2 + rng.normal(size=100))], "higher", 0.2) for _ in range(3)]
        said.append(evidence.decide(evidence.joint(parts)).word)
    assert np.mean([each == "does not hold" for each in said]) < 0.05


def test_bad_input_is_named():
    with pytest.raises(OptionError, match="'direction' must be one of higher, lower, either, equal: 'up'"):
        evidence.finding([estimate(0, 1)], "up", 0.1)
