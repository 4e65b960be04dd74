import numpy as np
import pytest

from kinetic.errors import OptionError
from kinetic.evidence._table import Columns


def test_columns_that_are_constant_to_rounding_are_left_out():
    x = np.arange(5.0)
    table = {"x": x, "flat": np.full(5, 3.0), "noise": 1 + 1e-9 * x, "c": x**2}
    columns = Columns.of(table, ["x", "flat"], ["noise", "x", "c"], ["c", "flat"])
    assert (columns.n, columns.energies, columns.scores) == (5, ("x",), ("x", "c"))
    assert columns.controls.tolist() == [(x**2).tolist()]
    assert columns.distinct.tolist() == [[False, True]]
    assert not columns.empty


def test_three_samples_or_no_columns_are_empty():
    assert Columns.of({"x": [1, 2, 3], "y": [1, 3, 2]}, ["x"], ["y"], []).empty
    assert Columns.of({"x": np.arange(9), "y": np.ones(9)}, ["x"], ["y"], []).empty
    assert Columns.of({}, [], [], []).empty


def test_columns_of_unlike_length_are_refused():
    with pytest.raises(OptionError, match="equally long"):
        Columns.of({"x": [1, 2, 3], "y": [1, 2]}, ["x"], ["y"], [])
