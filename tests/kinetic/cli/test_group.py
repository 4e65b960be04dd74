"""Commands of plugins on the command line."""

import pytest

PLUGIN = '''
    from typing import Annotated

    import typer

    import kinetic
    from kinetic.errors import OptionError

    app = typer.Typer()


    @app.command()
    def one(n: int):
        """The first."""
        print(n + 1)


    @app.command()
    def two():
        """The second."""
        raise OptionError("'two' must be one: 2")


    def greet(name: Annotated[str, typer.Argument(help="Whom.")], twice: bool = False):
        """Greet somebody."""
        print(*["hello", name] * (1 + twice))


    def run():
        """Not kinetic's."""
        print("mine")


    @kinetic.hookimpl
    def register_commands(register):
        register("greet", greet)
        register("count", app)
        register("run", run)
'''


@pytest.fixture
def kinetic(install, monkeypatch, capfd):
    """kinetic(*words): the exit status and what was printed to both streams, beside a plugin with commands."""
    from kinetic import _cli

    install("acme-words", "acme_words", PLUGIN)
    install("acme-broken", "acme_broken", PLUGIN.replace('"greet"', '"broken"').replace("import typer", "import typo"))

    def call(*words):
        monkeypatch.setattr("sys.argv", ["kinetic", *words])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            _cli.main()
        return ended.value.code, *capfd.readouterr()

    return call


def test_commands_of_plugins_stand_in_the_help_after_kinetics_own(kinetic):
    status, printed, _ = kinetic("--help")
    assert status == 0
    lines = [line.split() for line in printed.splitlines()]
    assert ["greet", "Of", "acme-words", "1.0."] in lines
    assert ["acme_words:run", "Of", "acme-words", "1.0."] in lines
    assert ["broken", "Of", "acme-broken", "1.0."] in lines
    assert ["acme_broken:count", "Of", "acme-broken", "1.0."] in lines
    names = [words[0] for words in lines if words]
    assert names.index("run") < names.index("report") < names.index("greet")


def test_a_command_of_a_plugin_takes_its_own_options_and_has_its_own_help(kinetic):
    assert kinetic("greet", "you", "--twice")[:2] == (0, "hello you hello you\n")
    status, printed, _ = kinetic("greet", "--help")
    assert status == 0
    assert "Greet somebody." in printed
    assert "Whom." in printed
    assert kinetic("greet")[0] == 2


def test_an_application_of_a_plugin_has_commands_below_it_and_its_errors_are_one_message(kinetic):
    assert kinetic("acme_words:count", "one", "4")[:2] == (0, "5\n")
    status, _, said = kinetic("acme_words:count", "two")
    assert status == 2
    assert said == "error: 'two' must be one: 2\n"


def test_kinetics_own_command_stays_and_the_plugins_is_said_with_the_plugin(kinetic):
    assert kinetic("acme_words:run")[:2] == (0, "mine\n")
    assert "Carry out a recipe" in kinetic("run", "--help")[1]


def test_a_command_that_two_plugins_have_must_be_said_with_one_of_them(kinetic):
    status, _, said = kinetic("count")
    assert status == 2
    both = "acme_broken:count and acme_words:count have one name: say which, as in `kinetic acme_broken:count`"
    assert both in said


def test_a_command_that_nobody_has_is_none(kinetic):
    status, _, said = kinetic("gree")
    assert status == 2
    assert "No such command 'gree'" in said


def test_a_command_of_a_plugin_that_does_not_import_says_why_and_the_others_work(kinetic):
    status, _, said = kinetic("broken")
    assert status == 2
    assert "command 'broken' of acme_broken cannot be called: ModuleNotFoundError: No module named 'typo'" in said
    assert kinetic("greet", "you")[0] == 0
