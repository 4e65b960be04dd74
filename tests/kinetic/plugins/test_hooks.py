import inspect

from kinetic import registry
from kinetic._plugins import hooks
from kinetic._plugins.registry import _ROLES


def test_there_are_eight_roles_with_a_hook_each():
    specs = {name for name in vars(hooks) if name.startswith("register_")}
    assert specs == {hook for _, hook in _ROLES.values()}
    assert len(specs) == len(_ROLES) == 8


def test_every_hook_says_what_it_offers():
    assert all(inspect.getdoc(getattr(hooks, hook)) for _, hook in _ROLES.values())


def test_every_role_has_something_to_offer():
    assert all(registry().classes[role] for role in _ROLES)
