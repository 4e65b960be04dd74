"""Numbers over runs, held against the formula."""

import math

import pytest

from kinetic import Estimate, evidence
from kinetic._experiment.between_arms import Difference
from kinetic._experiment.over_runs import correlations_over_runs, differences_over_runs, scores_over_runs


def one(name, plain, denoised=None, scale=1.0):
    views = {"plain": Estimate(plain)} | ({} if denoised is None else {"denoised": Estimate(denoised)})
    return Difference("m", name, views, scale, 100)


def test_seeds_are_averaged_within_a_training_and_the_interval_is_over_trainings():
    units = [[[one("x", 1.0)], [one("x", 3.0)]], [[one("x", 4.0)], [one("x", 6.0)]], [[one("x", 2.0)], [one("x", 2.0)]]]
    (found,) = differences_over_runs(units, "trainings")
    expected = evidence.over_runs([2.0, 5.0, 2.0])
    assert found.views["plain"].to_json() == expected.to_json()
    assert (found.n, found.of) == (3, "trainings")


def test_the_scale_is_the_mean_of_those_of_the_runs():
    (found,) = differences_over_runs([[[one("x", 1.0, scale=1.0)]], [[one("x", 2.0, scale=3.0)]]], "seeds")
    assert found.scale == 2.0


def test_what_a_run_does_not_have_is_not_averaged():
    units = [[[one("x", 1.0, 0.5), one("y", 1.0)]], [[one("x", 2.0)]]]
    assert list(differences_over_runs(units, "seeds")) == []
    units = [[[one("x", math.nan)]], [[one("x", 2.0)]]]
    assert list(differences_over_runs(units, "seeds")) == []


def test_scores_that_are_null_in_a_run_are_left_out():
    scores = {
        "a": {"energy": {"kpe": {"value": 1.0}, "gain": None}, "m": {"s": {"value": None}}},
        "b": {"energy": {"kpe": {"value": 2.0}, "gain": {"value": 1.0}}, "m": {"s": {"value": 2.0}}},
    }
    found = scores_over_runs((("a",), ("b",)), scores)
    assert found == {"energy": {"kpe": {**evidence.over_runs([1.0, 2.0]).to_json(), "of": [1.0, 2.0]}}}


@pytest.mark.parametrize("partial", [None, {"value": 0.1}])
def test_correlations_are_of_the_same_pair_in_every_run(partial):
    row = {"energy": "kpe", "metric": "m", "score": "s", "view": "plain", "shown": True, "partial": partial}
    rows = {"a": [{**row, "raw": {"value": 0.2}}], "b": [{**row, "raw": {"value": 0.4}}, {**row, "view": "denoised"}]}
    (found,) = correlations_over_runs((("a",), ("b",)), rows)
    assert found["raw"]["value"] == pytest.approx(0.3)
    assert (found["partial"] is None) == (partial is None)
