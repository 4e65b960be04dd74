import inspect

from kinetic import registry
from kinetic._plugins import hooks
from kinetic._plugins.registry import _ROLES


def test_there_are_eight_roles_with_a_hook_each_and_one_for_commands():
    specs = {name for name in vars(hooks) if name.startswith("register_")}
    assert specs == {*hooks.ROLES.values(), "register_commands"}
    assert len(hooks.ROLES) == 8
    assert [*hooks.ROLES] == [*_ROLES]


def test_every_hook_says_what_it_offers():
    assert all(inspect.getdoc(getattr(hooks, hook)) for hook in vars(hooks) if hook.startswith("register_"))


def test_every_role_has_something_to_offer():
    assert all(registry().classes[role] for role in hooks.ROLES)
