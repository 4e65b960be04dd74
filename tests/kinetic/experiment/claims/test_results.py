import numpy as np
import pytest

from kinetic import Column
from kinetic._experiment.claims.results import column_in, value_in


@pytest.fixture
def run(make_run):
    return make_run({"e": np.arange(10.0), "bad": np.full(10, np.inf)}, s=np.arange(10.0), denoised={"s": np.ones(10)})


def test_columns_are_of_meters_or_of_metrics_and_finite(run):
    assert column_in(run, "energy", "e").tolist() == column_in(run, "m", "s").tolist() == [*range(10)]
    assert column_in(run, "energy", "bad") is None
    assert column_in(run, "energy", "none") is None
    assert column_in(run, "m", "none") is None


def test_values_are_of_a_view_by_the_name_of_the_column_or_of_its_mean(run):
    assert value_in(run, "plain", "m", Column("s", mean="mean_s")).value == 4.5
    assert value_in(run, "denoised", "m", Column("mean_s")).value == 1.0
    assert value_in(run, "control", "m", Column("s")) is None
    assert value_in(run, "plain", "energy", Column("e")).value == 4.5


def test_a_number_of_an_arm_is_that_of_its_run_or_the_mean_over_its_runs(run, make_run, results):
    other = make_run({"e": np.arange(10.0) + 2}, s=np.arange(10.0))

    def mean(each):
        return value_in(each, "plain", "energy", Column("e"))

    assert results({"a": run}).over("a", mean).value == 4.5
    known = results({"x": run, "y": other}, {"a": (("x",), ("y",))}, of="seeds")
    assert (known.over("a", mean).value, known.n("a")) == (5.5, 2)
    assert known.over("a", lambda each: None) is None
