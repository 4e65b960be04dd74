"""What a shell completes, as a shell asks for it, with neither torch nor a plugin imported."""

import os
import subprocess
import sys
import textwrap

import pytest

CODE = textwrap.dedent("""
    import sys
    from kinetic._cli import main
    sys.argv = ["kinetic"]
    try:
        main()
    except SystemExit:
        pass
    heavy = {"torch", "numpy", "kinetic_solvers", "kinetic_digits"} & set(sys.modules)
    assert not heavy, heavy
""")


def completed(*words):
    """The words that bash is given for the last of the words."""
    environment = os.environ | {
        "_KINETIC_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(["kinetic", *words]),
        "COMP_CWORD": str(len(words)),
    }
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("rec",), ["recipes"]),
        (("run", "gold"), ["goldilocks", "goldilocks-mnist"]),
        (("recipes", "gold"), ["goldilocks", "goldilocks-mnist"]),
        (("show", "sol"), ["solver"]),
        (("show", "solver", "do"), ["dopri5", "doubled"]),
        (("show", "grid", "c"), ["cosine"]),
        (("check", "kinetic_s"), ["kinetic_schedules", "kinetic_solvers"]),
        (("check", "kinetic_schedules", "k"), ["kts"]),
        (("check", "kinetic_digits", "--role", "fe"), ["features"]),
        (("new", "mine", "--role", "met"), ["meter", "metric"]),
        (("plugins", "--q"), ["--quick"]),
    ],
)
def test_commands_recipes_roles_plugins_and_components_are_completed(words, expected):
    assert sorted(completed(*words)) == expected


def test_the_command_of_a_plugin_is_completed_without_its_import(install, monkeypatch):
    source = "raise SystemExit('imported')\n\ndef register_commands(register):\n    register('greet', greet)\n"
    monkeypatch.setenv("PYTHONPATH", str(install("acme-one", "acme_one", source)))
    assert completed("gre") == ["greet"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_is_shown(shell):
    environment = os.environ | {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    words = [sys.executable, "-c", CODE.replace('["kinetic"]', f'["kinetic", "--show-completion", "{shell}"]')]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert "_KINETIC_COMPLETE" in done.stdout
