"""The commands that list plugins and recipes and those for who writes plugins, as a user types them."""

import os
import subprocess
import sys
import textwrap

import pytest

from kinetic._plugins.recipes import shipped

SOURCE = '''
    import attrs, torch
    import kinetic


    @attrs.frozen(eq=False)
    class Kept(kinetic.Schedule):
        """A gain of 1."""

        breakpoints = ()

        def gain(self, t, x, v):
            return torch.ones_like(t)


    @attrs.frozen(eq=False)
    class Negative(kinetic.Schedule):
        """A gain below 0."""

        breakpoints = ()

        def gain(self, t, x, v):
            return t - 0.5


    @attrs.frozen(eq=False)
    class Needy(kinetic.TimeGrid):
        """A grid that needs to be told."""

        power: float = kinetic.options.number(above=0, doc="of the time")

        def times(self, steps):
            return [0.0, *((k / steps) ** self.power for k in range(1, steps)), 1.0]


    @kinetic.hookimpl
    def register_schedules(register):
        register("kept", Kept)
        register("negative", Negative)


    @kinetic.hookimpl
    def register_grids(register):
        register("needy", Needy)
'''


@pytest.fixture
def kinetic(install, monkeypatch, capfd):
    """kinetic(*words): the exit status and what was printed to both streams, beside a plugin kinetic_yours."""
    from kinetic import _cli
    from kinetic._terminal import console

    monkeypatch.setenv("COLUMNS", "200")
    console.cache_clear()
    install("kinetic-yours", "kinetic_yours", SOURCE)

    def call(*words):
        monkeypatch.setattr("sys.argv", ["kinetic", *map(str, words)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            _cli.main()
        return ended.value.code, *capfd.readouterr()

    yield call
    console.cache_clear()


LIGHT = textwrap.dedent("""
    import sys
    from kinetic._cli import main
    sys.argv = ["kinetic", *{words!r}]
    try:
        main()
    except SystemExit as end:
        assert not end.code, end.code
    heavy = {{"torch", "numpy", "kinetic_solvers", "kinetic_yours"}} & set(sys.modules)
    assert not heavy, heavy
""")


@pytest.mark.parametrize(
    "words", [["plugins", "--quick"], ["recipes"], ["recipes", "goldilocks"], ["--help"], ["plugins", "--help"]]
)
def test_what_is_listed_from_metadata_imports_neither_torch_nor_a_plugin(install, words):
    site = install("kinetic-yours", "kinetic_yours", SOURCE)
    done = subprocess.run(
        [sys.executable, "-c", LIGHT.format(words=words)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"PYTHONPATH": str(site), "COLUMNS": "200"},
    )
    assert done.returncode == 0, done.stderr
    if words == ["plugins", "--quick"]:
        row = next(line.split() for line in done.stdout.splitlines() if "kinetic_yours" in line)
        assert row == ["kinetic_yours", "kinetic-yours", "1.0", "not", "imported"]


def rows(printed, plugin):
    """The cells of a plugin's rows of the table."""
    lines = printed.splitlines()
    start = next(i for i, line in enumerate(lines) if line.split()[:1] == [plugin])
    end = next((i for i in range(start + 1, len(lines)) if not lines[i].startswith("   ")), len(lines))
    return [lines[i].split(maxsplit=5 if i == start else 1) for i in range(start, end)]


def test_a_long_name_is_folded_and_never_cut(kinetic, ship, monkeypatch):
    ship("acme-one", recipe="x" * 60)
    monkeypatch.setenv("COLUMNS", "60")
    _, printed, _ = kinetic("plugins", "--quick")
    assert printed.count("x") >= 60
    assert "…" not in printed


def test_plugins_are_a_table_with_a_line_for_each_role_and_the_status_is_0(kinetic):
    status, printed, _ = kinetic("plugins")
    assert status == 0
    assert printed.split()[:6] == ["plugin", "package", "version", "status", "role", "names"]
    assert rows(printed, "kinetic_yours") == [
        ["kinetic_yours", "kinetic-yours", "1.0", "in", "use", "grid      needy"],
        ["schedule", "kept, negative"],
    ]
    assert ["features", "digits, digits-logits"] in rows(printed, "kinetic_digits")
    assert kinetic("plugins", "--check")[0] == 0
    assert kinetic("plugins", "--check", "--quick")[0] == 0


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("raise ValueError('boom [bold]')", "acme_odd is off: ValueError: boom [bold]"),
        ("kinetic_requires = '>=9'", "acme_odd is off: acme_odd needs kinetic-flow>=9, this is "),
        ("print('hello')", "acme_odd: it prints when it is imported: hello"),
        ("import time; time.sleep(1.1)", "acme_odd: its import takes 1.1 s: import what is heavy where it is used"),
        (
            "import kinetic\n@kinetic.hookimpl\ndef register_solver(register): pass",
            "acme_odd: its hook register_solver is none of this kinetic: misspelt, or of a newer one",
        ),
        (
            SOURCE.replace('"kept"', '"kts"'),
            "acme_odd: kinetic_schedules offers a schedule named 'kts' too: this one is acme_odd:kts",
        ),
        (
            SOURCE + "\n    @kinetic.hookimpl\n    def register_commands(register):\n        register('run', len)\n",
            "acme_odd: its commands are off: register_commands: PluginError: command 'run' must be a function",
        ),
        (
            SOURCE + "\n    @kinetic.hookimpl\n    def register_commands(register):\n        register('run', f)\n"
            "\n    def f(): pass\n",
            "acme_odd: kinetic has a command named 'run' too: this one is acme_odd:run",
        ),
    ],
)
def test_what_is_wrong_with_a_plugin_is_said_below_the_table_and_check_ends_with_1(kinetic, install_odd, source, words):
    install_odd(source)
    status, printed, _ = kinetic("plugins", "--check")  # first, as an import prints once
    assert status == 1
    assert words in printed
    row = rows(printed, "acme_odd")[0]
    assert row[3] == ("off" if "is off" in words else "in")
    assert ("see below" in " ".join(row)) is ("is off" not in words)
    assert "kinetic_yours" in printed
    assert kinetic("plugins")[0] == 0


@pytest.fixture
def install_odd(install):
    return lambda source: install("acme-odd", "acme_odd", source)


@pytest.mark.parametrize("quick", [(), ("--quick",)])
def test_recipes_of_a_plugin_that_cannot_be_its_own_are_said(kinetic, ship, quick):
    site = ship("acme-one", recipe="goldilocks")
    (site / "acme_one" / "__init__.py").write_text("")
    status, printed, _ = kinetic("plugins", *quick)
    assert status == 0
    assert "acme_one: kinetic_digits ships a recipe named 'goldilocks' too: this one is acme_one:goldilocks" in printed
    assert rows(printed, "acme_one")[0][-1].split()[-2:] == ["recipe", "acme_one:goldilocks"]
    assert kinetic("plugins", "--check", *quick)[0] == 1


@pytest.mark.parametrize(
    ("content", "checked", "words"),
    [
        ("[run\n", False, "its recipe 'late' cannot be built: "),
        (
            "[run]\nsamples = 4\n[field]\nname = 'gausian'\n[solver]\nname = 'euler'\n",
            True,
            "no field is named 'gausian'",
        ),
        ("[run]\nsamples = 4\n[field]\nname = 'gaussian'\n[solver]\nname = 'euler'\nsteps = 0\n", True, "'steps'"),
        ("[run]\nsamples = 4\n[field]\nname = 'module'\n[solver]\nname = 'euler'\n", True, ""),
        (
            "[run]\nsamples = 4\n[field]\nname = 'empirical'\ndata = {name = 'tensor-file', path = '/no/such.npy'}\n"
            "[solver]\nname = 'euler'\n",
            True,
            "",
        ),
    ],
)
def test_a_recipe_that_cannot_be_built_is_said_but_not_for_a_file_or_code_that_is_not_here(
    kinetic, ship, content, checked, words
):
    site = ship("acme-one", content)
    (site / "acme_one" / "__init__.py").write_text("")
    status, printed, _ = kinetic("plugins", *(["--check"] if checked else []))
    assert status == (1 if checked and words else 0)
    assert words in printed
    assert bool(words) is ("cannot be built" in printed)


@pytest.mark.parametrize("quick", [(), ("--quick",)])
def test_a_misspelt_switch_is_said_and_one_that_switches_off_is_the_reason(kinetic, monkeypatch, quick):
    monkeypatch.setenv("KINETIC_DISABLED_PLUGINS", "kinetic_your,kinetic_grids")
    status, printed, _ = kinetic("plugins", *quick)
    assert status == 0
    assert (
        "KINETIC_DISABLED_PLUGINS names 'kinetic_your', which is no plugin here; the nearest is kinetic_yours"
        in printed
    )
    assert "kinetic_grids is off: switched off by KINETIC_DISABLED_PLUGINS" in printed
    assert kinetic("plugins", "--check", *quick)[0] == 1


def test_recipes_are_listed_and_printed_whoever_else_has_one_of_the_name(kinetic, ship):
    ship("acme-one", "title = 'another'", recipe="goldilocks")
    ship("acme-two", "title = [", recipe="odd")
    _, printed, _ = kinetic("recipes")
    assert "acme_one:goldilocks  another" in printed
    assert "goldilocks  Goldilocks on handwritten digits" in printed
    assert "odd.toml is not valid TOML" in printed
    assert kinetic("recipes", "goldilocks")[1] == shipped()["goldilocks"].read_text()
    assert kinetic("recipes", "acme_one:goldilocks")[1] == "title = 'another'"
    assert kinetic("recipes", "acme_three:goldilocks")[0] == 2


def test_every_promise_that_is_kept_is_a_line_and_the_status_is_0(kinetic):
    status, printed, _ = kinetic("check", "kinetic_yours", "kept")
    assert status == 0
    words = " ".join(printed.split())
    assert words.startswith("schedule kept check promise ok breakpoints")
    assert "ok not_negative Gains are not negative, so that no path goes back in time. ok" in words
    count = words.count(" ok ")
    assert words.endswith(f"{count} of {count} checks hold; 0 component(s) not checked")


def test_a_broken_promise_is_said_with_what_came_and_the_way_on_and_the_status_is_1(kinetic):
    status, printed, _ = kinetic("check", "kinetic-yours", "--role", "schedule")
    assert status == 1
    words = " ".join(printed.split())
    assert "broken not_negative" in words
    assert "expected Negative has gains of 0 or more" in words
    assert "came the least is -0.5" in words
    assert "way on Refuse the options that make it so, or clamp at 0." in words


def test_where_nothing_could_be_checked_the_status_is_1_and_python_is_said(kinetic):
    status, printed, _ = kinetic("check", "kinetic_yours", "needy")
    assert status == 1
    assert "not checked: grid 'kinetic_yours:needy' needs the option 'power'" in printed
    assert "kinetic.testing.checks(Needy(...))" in printed


def test_a_plugin_that_there_is_not_is_one_error_and_status_2(kinetic):
    status, _, said = kinetic("check", "kinetic_your")
    assert status == 2
    assert "Did you mean 'kinetic_yours'?" in said


def test_a_new_plugin_is_written_and_the_next_step_said(kinetic, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, printed, _ = kinetic("new", "ease-in", "--role", "schedule", "--out", "there")
    assert status == 0
    assert printed.splitlines()[0] == "plugin: there"
    assert "pip install --no-deps -e ." in printed
    status, _, said = kinetic("new", "ease-in", "--role", "schedule", "--out", "there")
    assert status == 2
    assert "nothing is overwritten" in said
