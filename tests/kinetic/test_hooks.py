import inspect

from kinetic import _hooks, registry
from kinetic._registry import _ROLES


def test_there_are_seven_roles_with_a_hook_each():
    specs = {name for name in vars(_hooks) if name.startswith("register_")}
    assert specs == {hook for _, hook in _ROLES.values()}
    assert len(specs) == len(_ROLES) == 7


def test_every_hook_says_what_it_offers():
    assert all(inspect.getdoc(getattr(_hooks, hook)) for _, hook in _ROLES.values())


def test_every_role_has_something_to_offer():
    assert all(registry().classes[role] for role in _ROLES)
