"""Names read from the source of hooks."""

import pytest

from kinetic import registry
from kinetic._plugins.distributions import entry_points
from kinetic._plugins.hooks import ROLES
from kinetic._plugins.spelled import components, implements, spelled

SOURCE = """
    raise SystemExit("imported")

    @kinetic.hookimpl
    def register_solvers(register):
        register("leapfrog", Leapfrog)
        for name, cls in OTHERS.items():
            register(name, cls)
        other("not-this", 1)

    @hookimpl
    def register_grids(offer):
        if sys.platform:
            offer("even", Even)
"""


def point_of(name):
    return next(point for point in entry_points() if point.name == name)


def test_the_names_that_a_hook_gives_as_strings_are_read_without_an_import(install):
    install("acme-names", "acme_names", SOURCE)
    point = point_of("acme_names")
    assert spelled(point, "register_solvers") == ["leapfrog"]
    assert spelled(point, "register_grids") == ["even"]
    assert spelled(point, "register_fields") == []
    assert implements(point, "register_grids")
    assert not implements(point, "register_fields")
    assert {"leapfrog", "heun"} <= {*components("solver")}
    assert components("solver", "acme-names") == components("solver", "acme_names") == ["leapfrog"]
    assert components(None, "acme_names") == ["leapfrog", "even"]
    assert components("wizard") == []


@pytest.mark.parametrize("source", ["def f(:", "x = '\\0'"[:5] + "\0", "def register_solvers():\n    pass"])
def test_a_source_that_cannot_be_read_has_no_names(install, source):
    install("acme-odd", "acme_odd", source)
    assert spelled(point_of("acme_odd"), "register_solvers") == []


@pytest.mark.parametrize("role", ROLES)
def test_every_component_that_ships_is_spelt_out(role):
    known = registry()
    ours = {plugin.name for plugin in known.plugins if plugin.is_ours}
    offered = {(owner, name) for (r, name), owners in known.offers.items() if r == role for owner in owners}
    spelt = {(owner, name) for owner in ours for name in components(role, owner)}
    assert spelt == {(owner, name) for owner, name in offered if owner in ours}
