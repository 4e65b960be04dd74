import numpy as np
import pytest

from kinetic.evidence._order import ascending


@pytest.mark.parametrize("values", [2, 30, 10**9])
def test_the_order_is_that_of_a_stable_sort_however_many_values_are_equal(values):
    columns = np.random.default_rng(1).integers(0, values, (4, 3000)).astype(float)
    columns[0] = np.where(columns[0] == 0, -0.0, columns[0])
    columns[1, ::2] = 0.0
    columns[2] = 7.0
    order, new = ascending(columns)
    assert (order == np.argsort(columns, axis=1, kind="stable")).all()
    for ordered, begins in zip(np.take_along_axis(columns, order, 1), new, strict=True):
        assert begins.sum() == len(np.unique(ordered))
        assert begins.tolist() == [True, *(ordered[1:] != ordered[:-1])]


def test_columns_without_and_of_one_sample_are_in_order():
    assert ascending(np.zeros((2, 1)))[0].tolist() == [[0], [0]]
    assert ascending(np.zeros((0, 5)))[0].shape == (0, 5)
