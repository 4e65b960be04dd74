import math

import pytest
from kinetic_grids import Cosine

from kinetic.testing import check_grid


@pytest.mark.parametrize("steps", [1, 2, 10, 51])
def test_the_times_are_those_of_the_formula(steps):
    expected = [(1 - math.cos(math.pi * k / steps)) / 2 for k in range(steps + 1)]
    assert Cosine().times(steps) == pytest.approx(expected, abs=1e-15)


def test_the_contract_of_a_grid_is_kept():
    check_grid(Cosine(), range(1, 200))
