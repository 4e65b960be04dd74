import pytest
from kinetic_grids import Cosine, ExponentialShift, Shifted, Uniform, named
from kinetic_grids.named import GRIDS

from kinetic import registry
from kinetic._plugins.builder import ComponentBuilder
from kinetic.errors import OptionError, UnknownNameError


def test_a_name_is_the_grid_with_its_defaults_and_all_else_stays_what_it_is():
    assert isinstance(named("uniform"), Uniform)
    assert isinstance(named("cosine"), Cosine)
    assert named("shifted").shift == Shifted().shift
    assert named("exponential-shift").mu == ExponentialShift().mu
    grid = Shifted(shift=2.0)
    assert named(grid) is grid
    assert named(7) == 7


def test_the_names_are_those_that_recipes_know():
    known = registry()
    assert {
        name: cls for name, cls in known.classes["grid"].items() if known.origins["grid", name] == "kinetic_grids"
    } == GRIDS


def test_an_unknown_name_is_refused_with_the_nearest_and_all_known():
    with pytest.raises(UnknownNameError) as caught:
        named("cosin")
    assert "no grid is named 'cosin'. Did you mean 'cosine'?" in str(caught.value)
    assert (
        "known: cosine, edm-rho, energy, entropy, exponential-shift, given, rotation, sharpness, shifted, uniform"
        in str(caught.value)
    )


def test_a_grid_that_needs_an_option_is_no_bare_name():
    with pytest.raises(OptionError) as caught:
        named("given")
    assert "grid 'given': it needs one of the options 'times', a list, and 'path', a file" in str(caught.value)
    assert "grid = { name = 'given', ... }" in str(caught.value)


def test_a_recipe_names_a_grid_barely_or_in_a_table():
    build = ComponentBuilder(registry()).build
    for given in ("cosine", {"name": "cosine"}):
        assert isinstance(build("solver", {"name": "heun", "grid": given}).grid, Cosine)
    solver = build("solver", {"name": "heun", "steps": 2, "grid": {"name": "shifted", "shift": 3}})
    assert solver.times() == [0.0, 0.25, 1.0]
    with pytest.raises(UnknownNameError, match=r"solver 'heun': no grid is named 'log'"):
        build("solver", {"name": "heun", "grid": "log"})
    with pytest.raises(UnknownNameError, match=r"grid 'shifted' has no option 'shif'. Did you mean 'shift'"):
        build("solver", {"name": "heun", "grid": {"name": "shifted", "shif": 3}})
