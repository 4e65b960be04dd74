import sys

import pluggy
import pytest
from kinetic_digits import Digits
from kinetic_schedules import KTS
from kinetic_solvers import Heun

import kinetic
from kinetic import registry
from kinetic._plugins.registry import role_of
from kinetic._roles.component import Component
from kinetic.errors import PluginError, UnknownNameError

EASE = """
    import attrs, kinetic

    @attrs.frozen(eq=False)
    class {cls}(kinetic.Schedule):
        strength: float = 0.02
        breakpoints = ()

        def gain(self, t, x, v):
            return 1 + self.strength * (1 - t)

    @kinetic.hookimpl
    def register_schedules(register):
        register("{name}", {cls})
"""


def test_the_installed_plugins_offer_what_the_design_names():
    known = registry()
    assert {"euler", "midpoint", "heun", "rk4"} <= known.classes["solver"].keys()
    assert {"empirical", "gaussian", "digits", "digits-memorised"} <= known.classes["field"].keys()
    grids = {"uniform", "cosine", "shifted", "exponential-shift", "edm-rho", "given"}
    assert grids <= known.classes["grid"].keys()
    assert {"kts", "constant"} <= known.classes["schedule"].keys()
    assert {"kpe", "path", "power"} <= known.classes["meter"].keys()
    assert {"frechet", "clip", "memorisation", "knn-support"} <= known.classes["metric"].keys()
    assert {"pixels", "inception", "clip-image", "digits"} <= known.classes["features"].keys()
    assert {"digits", "tensor-file"} <= known.classes["dataset"].keys()
    assert known.name_of(Heun()) == "heun"


def test_a_strangers_distribution_is_found_and_its_class_built(install):
    install("acme-ease", "acme_ease", EASE.format(cls="Ease", name="ease"))
    known = registry()
    assert known.get("schedule", "ease")(strength=0.5).strength == 0.5
    assert known.origins["schedule", "ease"] == "acme_ease"
    (plugin,) = [plugin for plugin in known.plugins if plugin.name == "acme_ease"]
    assert (plugin.distribution, plugin.version, plugin.error) == ("acme-ease", "1.0", None)


def plugin_of(known, name):
    (plugin,) = [plugin for plugin in known.plugins if plugin.name == name]
    return plugin


def test_of_two_distributions_with_one_entry_point_one_is_in_use_and_the_other_says_why_not(install):
    install("acme-one", "acme_one", EASE.format(cls="A", name="a"), entry_point="solvers")
    install("acme-two", "acme_two", EASE.format(cls="B", name="b"), entry_point="solvers")
    known = registry()
    assert "a" in known.classes["schedule"]
    assert "b" not in known.classes["schedule"]
    first, second = [plugin for plugin in known.plugins if plugin.name == "solvers"]
    assert (first.distribution, first.error, second.distribution) == ("acme-one", None, "acme-two")
    assert second.error.startswith(
        "acme-one has the entry point 'solvers' too\n  Name an entry point after its package"
    )


def test_a_stranger_that_takes_an_entry_point_of_kinetic_is_the_one_that_is_off(install):
    install("aardvark", "aardvark", EASE.format(cls="A", name="a"), entry_point="kinetic_solvers")
    known = registry()
    assert known.get("solver", "heun") is Heun
    assert "a" not in known.classes["schedule"]
    (stranger,) = [plugin for plugin in known.plugins if plugin.distribution == "aardvark"]
    assert "kinetic-flow has the entry point 'kinetic_solvers' too" in stranger.error


@pytest.mark.parametrize("module", ["acme_kts", "zebra_kts"])
def test_a_name_of_kinetic_stays_kinetics_and_the_strangers_is_said_with_its_plugin(install, module):
    install(module, module, EASE.format(cls="Mine", name="kts"))
    known = registry()
    assert known.get("schedule", "kts") is KTS
    assert known.get("schedule", "kinetic_schedules:kts") is KTS
    mine = known.get("schedule", f"{module}:kts")
    assert mine.__name__ == "Mine"
    assert known.name_of(mine()) == f"{module}:kts"
    assert known.name_of(KTS()) == "kts"
    plugin = plugin_of(known, module)
    assert plugin.error is None
    note = f"kinetic_schedules offers a schedule named 'kts' too: this one is {module}:kts"
    assert plugin.notes == (note,)


def test_a_name_that_two_strangers_take_is_neithers_until_it_is_said_whose(install):
    for name in ("stranger_one", "stranger_two"):
        install(name.replace("_", "-"), name, EASE.format(cls="Mine", name="mine"))
    known = registry()
    said = "stranger_one and stranger_two both offer a schedule named 'mine': say which, as in stranger_one:mine"
    with pytest.raises(UnknownNameError, match=said):
        known.get("schedule", "mine")
    assert known.get("schedule", "stranger_two:mine").__module__ == "stranger_two"
    assert all(plugin_of(known, name).notes for name in ("stranger_one", "stranger_two"))


def test_a_plugin_that_does_not_import_is_noted_and_the_rest_works(install):
    install("acme-broken", "acme_broken", "import no_such_module_at_all")
    known = registry()
    (plugin,) = [plugin for plugin in known.plugins if plugin.name == "acme_broken"]
    assert plugin.error == "ModuleNotFoundError: No module named 'no_such_module_at_all'"
    assert known.get("solver", "heun") is Heun
    with pytest.raises(UnknownNameError, match="Not in use: acme_broken"):
        known.get("solver", "from-the-broken-plugin")


def test_a_plugin_can_be_left_out(install, monkeypatch):
    install("acme-kts", "acme_kts", EASE.format(cls="Mine", name="kts"))
    monkeypatch.setenv("KINETIC_DISABLED_PLUGINS", "acme_kts, other")
    (plugin,) = [plugin for plugin in registry().plugins if plugin.name == "acme_kts"]
    assert plugin.error == "switched off by KINETIC_DISABLED_PLUGINS"


def with_plugin(plugin):
    manager = pluggy.PluginManager("kinetic")
    manager.register(plugin, name="mine")
    return manager


def test_a_misspelt_hook_is_noted_with_the_nearest_and_the_others_are_in_use(install):
    source = EASE.format(cls="Ease", name="ease") + (
        "\n    @kinetic.hookimpl\n    def register_solver(register):\n        raise SystemExit\n"
        "\n    @kinetic.hookimpl\n    def register_of_tomorrow(register):\n        raise SystemExit\n"
    )
    install("acme-typo", "acme_typo", source)
    known = registry()
    assert "ease" in known.classes["schedule"]
    plugin = plugin_of(known, "acme_typo")
    assert plugin.error is None
    said = "is none of this kinetic: misspelt, or of a newer one"
    assert set(plugin.notes) == {
        f"its hook register_solver {said}; the nearest is register_solvers",
        f"its hook register_of_tomorrow {said}",
    }


@pytest.mark.parametrize(
    ("cls", "why"),
    [(Digits, "it is no Solver"), (kinetic.Solver, "it leaves solve abstract"), (Heun(), "it is no Solver")],
)
def test_what_is_no_finished_class_of_the_role_cannot_be_registered(cls, why):
    class Plugin:
        @staticmethod
        @kinetic.hookimpl
        def register_solvers(register):
            register("x", cls)

    known = registry(with_plugin(Plugin), points=[])
    assert not known.classes["solver"]
    assert plugin_of(known, "mine").error.startswith("register_solvers: PluginError: ")
    assert plugin_of(known, "mine").error.endswith(f"cannot be registered as solver 'x': {why}")


@pytest.mark.parametrize("name", ["", "a:b", 3, None])
def test_a_name_that_recipes_cannot_say_is_refused(name):
    class Plugin:
        @staticmethod
        @kinetic.hookimpl
        def register_solvers(register):
            register(name, Heun)

    assert "must be named by a string without ':'" in plugin_of(registry(with_plugin(Plugin), points=[]), "mine").error


def test_the_role_of_a_class_is_that_of_its_abstract_class():
    assert [role_of(cls) for cls in (kinetic.Solver, Heun, kinetic.Dataset)] == ["solver", "solver", "dataset"]
    with pytest.raises(PluginError, match="Component is of no role: VelocityField, Solver"):
        role_of(Component)


def test_a_plugin_whose_hook_fails_is_left_out_whole(install):
    source = EASE.format(cls="Ease", name="ease") + (
        "\n    @kinetic.hookimpl\n    def register_solvers(register):\n        import no_such_module_at_all\n"
    )
    install("acme-half", "acme_half", source)
    known = registry()
    (plugin,) = [plugin for plugin in known.plugins if plugin.name == "acme_half"]
    assert plugin.error == "register_solvers: ModuleNotFoundError: No module named 'no_such_module_at_all'"
    assert "ease" not in known.classes["schedule"]
    assert known.get("solver", "heun") is Heun


def test_a_plugin_with_a_misspelt_argument_is_left_out_whole(install):
    source = EASE.format(cls="Ease", name="ease") + (
        "\n    @kinetic.hookimpl\n    def register_solvers(registr):\n        pass\n"
    )
    install("acme-arg", "acme_arg", source)
    known = registry()
    (plugin,) = [plugin for plugin in known.plugins if plugin.name == "acme_arg"]
    assert "Argument(s) {'registr'}" in plugin.error
    assert "ease" not in known.classes["schedule"]


def test_a_plugin_that_exits_on_import_does_not_take_the_others_along(install):
    install("acme-exit", "acme_exit", "raise SystemExit(3)")
    known = registry()
    assert [plugin.error for plugin in known.plugins if plugin.name == "acme_exit"] == ["SystemExit: 3"]
    assert known.get("solver", "heun") is Heun


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import pytest\npytest.importorskip('no_such_module_at_all')", "Skipped: could not import"),
        ("import kinetic.errors\nraise kinetic.errors.OptionError('mine')", "OptionError: mine"),
        ("raise BaseException('odd')", "BaseException: odd"),
        ("def f(:", "SyntaxError: "),
        ("kinetic_requires = '>=9'", "acme_odd needs kinetic-flow>=9, this is "),
        ("kinetic_requires = 'nine'", "kinetic_requires must be a version specifier, as in '>=0.2': 'nine'"),
    ],
)
def test_whatever_an_import_raises_stops_no_other_plugin(install, monkeypatch, source, error):
    monkeypatch.delitem(sys.modules, "acme_odd", raising=False)
    install("acme-odd", "acme_odd", source)
    known = registry()
    assert plugin_of(known, "acme_odd").error.startswith(error)
    assert known.get("solver", "heun") is Heun


def test_a_hook_that_raises_an_error_of_kinetic_stops_no_other_plugin(install):
    source = "import kinetic\n@kinetic.hookimpl\ndef register_solvers(register):\n    register('x', int)\n"
    install("acme-int", "acme_int", source)
    known = registry()
    assert "<class 'int'> cannot be registered as solver 'x': it is no Solver" in plugin_of(known, "acme_int").error
    assert known.get("solver", "heun") is Heun


def test_a_shared_entry_point_can_be_left_out(install, monkeypatch):
    install("acme-one", "acme_one", EASE.format(cls="A", name="a"), entry_point="solvers")
    install("acme-two", "acme_two", EASE.format(cls="B", name="b"), entry_point="solvers")
    monkeypatch.setenv("KINETIC_DISABLED_PLUGINS", "solvers")
    assert not {"a", "b"} & registry().classes["schedule"].keys()
