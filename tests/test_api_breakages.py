"""The check of the public interface: of a repository made here, with a breakage planted in it."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "api_breakages.py"
PROJECT = '[tool.hatch.build.targets.wheel]\npackages = ["kin", "plugins/kin_more"]\n'
INIT = "from kin._inner import solve as solve\n"
INNER = 'def solve(x, steps=50):\n    """Solve."""\n    return x\n\n\ndef _own(x):\n    return x\n'


@pytest.fixture
def repository(tmp_path):
    """Two packages, committed, and the script in a folder below."""
    for name, text in (
        ("pyproject.toml", PROJECT),
        ("kin/__init__.py", INIT),
        ("kin/_inner.py", INNER),
        ("plugins/kin_more/__init__.py", "class Euler:\n    steps: int = 50\n"),
        ("tests/api_breakages.py", SCRIPT.read_text()),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    return tmp_path


def git(root, *words):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false"]
    subprocess.run(["git", "-C", str(root), *identity, *words], check=True, capture_output=True)


def commit(root):
    git(root, "add", "-A")
    git(root, "commit", "--quiet", "-m", "x")


def asked(root):
    done = subprocess.run(
        [sys.executable, root / "tests" / "api_breakages.py"], capture_output=True, text=True, check=False, cwd=root
    )
    return done.returncode, done.stdout + done.stderr


def test_without_a_tag_it_passes_and_says_so(repository):
    assert asked(repository) == (0, "There is no tag yet: nothing to hold the public interface to.\n")


def test_without_a_repository_it_passes_too(tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "api_breakages.py").write_text(SCRIPT.read_text())
    assert asked(tmp_path)[0] == 0


def test_an_unbroken_interface_passes_whatever_changed_inside(repository):
    pytest.importorskip("griffe")
    git(repository, "tag", "v1")
    (repository / "kin" / "_inner.py").write_text(INNER.replace("_own", "_other").replace("steps=50", "steps=50, t=0"))
    commit(repository)
    assert asked(repository) == (0, "Nothing public broke since v1.\n")


@pytest.mark.parametrize(
    ("path", "before", "after", "said"),
    [
        ("kin/_inner.py", "steps=50", "count=50", "solve(steps): Parameter was removed"),
        ("kin/_inner.py", "steps=50", "steps=20", "solve(steps): Parameter default was changed"),
        ("kin/__init__.py", INIT, "", "solve"),
        ("plugins/kin_more/__init__.py", "Euler", "Heun", "Euler: Public object was removed"),
    ],
)
def test_a_planted_breakage_is_named_and_fails(path, before, after, said, repository):
    pytest.importorskip("griffe")
    git(repository, "tag", "v1")
    file = repository / path
    file.write_text(file.read_text().replace(before, after))
    commit(repository)
    code, words = asked(repository)
    assert code == 1
    assert said in words
    assert words.endswith("1 breaking changes since v1.\n")


def test_a_package_newer_than_the_tag_breaks_nothing(repository):
    pytest.importorskip("griffe")
    (repository / "pyproject.toml").write_text(PROJECT.replace(', "plugins/kin_more"', ""))
    git(repository, "rm", "-r", "--quiet", "--cached", "plugins")
    commit(repository)
    git(repository, "tag", "v1")
    (repository / "pyproject.toml").write_text(PROJECT)
    commit(repository)
    assert asked(repository) == (0, "Nothing public broke since v1.\n")
