import pluggy
import pytest
from kinetic_digits import Digits
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


def test_two_distributions_with_one_entry_point_are_both_named(install):
    install("acme-one", "acme_one", EASE.format(cls="A", name="a"), entry_point="solvers")
    install("acme-two", "acme_two", EASE.format(cls="B", name="b"), entry_point="solvers")
    with pytest.raises(PluginError) as caught:
        registry()
    assert "acme-one and acme-two both offer the entry point 'solvers'" in str(caught.value)
    said = "To go on without it: KINETIC_DISABLED_PLUGINS=acme-one or KINETIC_DISABLED_PLUGINS=acme-two"
    assert said in str(caught.value)


def test_a_stranger_that_takes_an_entry_point_of_kinetic_is_the_one_to_leave_out(install, monkeypatch):
    install("zebra", "zebra", EASE.format(cls="A", name="a"), entry_point="kinetic_solvers")
    with pytest.raises(PluginError) as caught:
        registry()
    assert "kinetic-flow and zebra both offer the entry point 'kinetic_solvers'" in str(caught.value)
    assert str(caught.value).endswith("To go on without it: KINETIC_DISABLED_PLUGINS=zebra")
    monkeypatch.setenv("KINETIC_DISABLED_PLUGINS", "zebra")
    known = registry()
    assert known.get("solver", "heun") is Heun
    assert "a" not in known.classes["schedule"]


@pytest.mark.parametrize("module", ["acme_kts", "zebra_kts"])
def test_a_stranger_that_takes_a_name_of_kinetic_is_the_one_to_leave_out(install, module):
    install(module, module, EASE.format(cls="Mine", name="kts"))
    with pytest.raises(PluginError) as caught:
        registry()
    assert str(caught.value).endswith(f"Rename one, or leave one out: KINETIC_DISABLED_PLUGINS={module}")


def test_of_two_strangers_that_take_one_name_either_can_be_left_out(install):
    for name in ("stranger_one", "stranger_two"):
        install(name.replace("_", "-"), name, EASE.format(cls="Mine", name="mine"))
    with pytest.raises(PluginError) as caught:
        registry()
    assert str(caught.value).endswith("KINETIC_DISABLED_PLUGINS=stranger_one or KINETIC_DISABLED_PLUGINS=stranger_two")


def test_two_plugins_with_one_component_name_are_both_named(install):
    install("acme-kts", "acme_kts", EASE.format(cls="Mine", name="kts"))
    with pytest.raises(PluginError) as caught:
        registry()
    assert "acme_kts and kinetic_schedules both offer a schedule named 'kts'" in str(caught.value) or (
        "kinetic_schedules and acme_kts both offer a schedule named 'kts'" in str(caught.value)
    )
    assert "kinetic_schedules.kts.KTS" in str(caught.value)
    assert "acme_kts.Mine" in str(caught.value)


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


def test_a_misspelt_hook_is_refused_with_the_hooks_there_are():
    class Plugin:
        @staticmethod
        @kinetic.hookimpl
        def register_solver(register):
            register("x", Heun)

    with pytest.raises(PluginError) as caught:
        registry(with_plugin(Plugin), points=[])
    assert "register_solver" in str(caught.value)
    assert "register_solvers" in str(caught.value)


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

    with pytest.raises(PluginError) as caught:
        registry(with_plugin(Plugin), points=[])
    assert str(caught.value).startswith("mine: ")
    assert str(caught.value).endswith(f"cannot be registered as solver 'x': {why}")


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


def test_a_misspelt_hook_of_an_installed_plugin_can_be_left_out(install, monkeypatch):
    install("acme-typo", "acme_typo", EASE.format(cls="Ease", name="ease").replace("register_schedules", "register_x"))
    with pytest.raises(PluginError, match=r"acme_typo(.|\n)*KINETIC_DISABLED_PLUGINS=acme_typo"):
        registry()
    monkeypatch.setenv("KINETIC_DISABLED_PLUGINS", "acme_typo")
    assert registry().get("solver", "heun") is Heun


def test_a_shared_entry_point_can_be_left_out(install, monkeypatch):
    install("acme-one", "acme_one", EASE.format(cls="A", name="a"), entry_point="solvers")
    install("acme-two", "acme_two", EASE.format(cls="B", name="b"), entry_point="solvers")
    monkeypatch.setenv("KINETIC_DISABLED_PLUGINS", "solvers")
    assert not {"a", "b"} & registry().classes["schedule"].keys()
