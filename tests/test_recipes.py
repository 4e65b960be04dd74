"""Every shipped recipe loads and builds."""

import pytest

from kinetic import load_recipe
from kinetic._experiment.read_recipe import shipped


@pytest.mark.parametrize("name", sorted(shipped()))
def test_a_shipped_recipe_builds(name):
    assert load_recipe(name).runners
