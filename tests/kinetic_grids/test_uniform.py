import pytest
from kinetic_grids import Uniform

from kinetic.testing import check_grid


@pytest.mark.parametrize("steps", [1, 3, 49, 1000])
def test_all_steps_are_of_one_length(steps):
    assert Uniform().times(steps) == [k / steps for k in range(steps + 1)]


def test_the_contract_of_a_grid_is_kept():
    check_grid(Uniform(), range(1, 200))
