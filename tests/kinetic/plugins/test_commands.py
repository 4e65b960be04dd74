"""Commands of plugins: listed by their source, imported when called, one stopping no other."""

import pluggy
import pytest
import typer

from kinetic import registry
from kinetic._plugins.commands import command, listed, of_plugins
from kinetic.errors import PluginError, UnknownNameError

GREET = """
    import kinetic

    def {name}():
        print("from {module}")

    @kinetic.hookimpl
    def register_commands(register):
        register("{name}", {name})
"""


def greet(install, distribution, name="greet"):
    module = distribution.replace("-", "_")
    return install(distribution, module, GREET.format(name=name, module=module))


def noted(taken=()):
    manager = pluggy.PluginManager("kinetic")
    known = registry(manager)
    return of_plugins(manager, [plugin for plugin in known.plugins if plugin.error is None], taken)


def test_a_command_is_listed_without_an_import_and_is_the_function_when_it_is_called(install, capsys):
    greet(install, "acme-one")
    assert {name: plugin.distribution for name, plugin in listed(()).items()} == {"greet": "acme-one"}
    command("greet", ())()
    command("acme_one:greet", ())()
    assert capsys.readouterr().out == "from acme_one\nfrom acme_one\n"
    assert noted() == ({"greet": "acme_one"}, {})
    assert command("gree", ()) is None
    assert command("nobody:greet", ()) is None


def test_a_command_that_kinetic_has_is_said_with_its_plugin(install):
    greet(install, "acme-one", "run")
    assert [*listed({"run"})] == ["acme_one:run"]
    assert command("acme_one:run", {"run"}).__module__ == "acme_one"
    names, notes = noted({"run"})
    assert names == {"acme_one:run": "acme_one"}
    assert notes == {"acme_one": ["kinetic has a command named 'run' too: this one is acme_one:run"]}


def test_a_command_of_two_strangers_is_neithers_until_it_is_said_whose(install):
    greet(install, "acme-one")
    greet(install, "acme-two")
    assert [*listed(())] == ["acme_one:greet", "acme_two:greet"]
    assert command("acme_two:greet", ()).__module__ == "acme_two"
    with pytest.raises(UnknownNameError, match="acme_one:greet and acme_two:greet have one name: say which"):
        command("greet", ())
    assert noted()[1]["acme_one"] == ["acme_two has a command named 'greet' too: this one is acme_one:greet"]


def test_a_name_that_is_computed_is_not_listed_and_works(install):
    install(
        "acme-all",
        "acme_all",
        GREET.replace('register("{name}"', 'register("gr" + "eet"').format(name="greet", module="x"),
    )
    assert listed(()) == {}
    assert command("greet", ()).__module__ == "acme_all"
    assert noted()[0] == {"greet": "acme_all"}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (("import kinetic", "import kinetic, no_such_module_at_all"), "ModuleNotFoundError: No module named"),
        (
            ('register("greet", greet)', 'register("greet", greet)\n        raise SystemExit'),
            "register_commands: SystemExit",
        ),
        (('"greet", greet', '"greet", 3'), "command 'greet' must be a function or a typer.Typer: 3"),
        (('register("greet", greet)', 'False and register("greet", greet)'), "the plugin offers none"),
    ],
)
def test_a_broken_one_is_an_error_when_it_is_called_and_stops_nothing_else(install, change, error):
    install("acme-bad", "acme_bad", GREET.format(name="greet", module="acme_bad").replace(*change))
    greet(install, "acme-fine", "fine")
    assert [*listed(())] == ["fine", "greet"]
    with pytest.raises(PluginError, match="command 'greet' of acme_bad cannot be called: ") as caught:
        command("greet", ())
    assert error in str(caught.value)
    assert command("fine", ()).__module__ == "acme_fine"
    assert noted()[0] == {"fine": "acme_fine"}


@pytest.mark.parametrize("name", ["", "two words", "-x", "a:b", 3])
def test_a_name_that_no_shell_could_say_is_refused(install, name):
    source = GREET.format(name="greet", module="acme_odd").replace('"greet", greet', f"{name!r}, greet")
    install("acme-odd", "acme_odd", source)
    assert listed(()) == {}
    (note,) = noted()[1]["acme_odd"]
    assert note.startswith("its commands are off: register_commands: PluginError: a command is named in letters")


def test_an_application_of_typer_is_one_command(install):
    source = GREET.format(name="greet", module="x").replace('"greet", greet', '"greet", typer.Typer()')
    install("acme-app", "acme_app", source.replace("import kinetic", "import kinetic, typer"))
    assert isinstance(command("greet", ()), typer.Typer)
