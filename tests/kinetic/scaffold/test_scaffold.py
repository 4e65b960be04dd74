"""`kinetic new`: names that cannot be, folders that are there, and eight plugins that work at once."""

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import kinetic
from kinetic._scaffold import scaffold
from kinetic._scaffold.scaffold import Names, rendered
from kinetic.errors import OptionError, StoreError, UnknownNameError

ROLES = ("field", "solver", "grid", "schedule", "meter", "metric", "features", "dataset")
FORMULAS = {  # one line of each, as somebody would change it
    "field": "s/self.mean + (t/self.mean + 1.0 * (t/",
    "solver": "s|weight = 1 / (2 .*|weight = 0.5 / self.share|",
    "grid": r"s|(k / steps) \*\* self.power|1 - (1 - k / steps) ** self.power|",
    "schedule": r"s/(1 - t) \*\* 2  # the formula/(1 - t) ** 3/",
    "meter": "s/stage.square/2 * stage.square/",
    "metric": "s/.square().mean(1).sqrt()/.abs().mean(1)/",
    "features": "s/spread.abs()/spread.square()/",
    "dataset": "s/(1 + index/(2 + index/",
}


def test_every_role_has_its_templates():
    roles = set(kinetic.registry().classes)
    assert set(ROLES) == roles == set(FORMULAS)
    templates = Path(kinetic.__file__).parent / "_scaffold" / "templates"
    for folder, ending in (("component", ".py.j2"), ("recipe", ".toml.j2")):
        assert {path.name.removesuffix(ending) for path in (templates / folder).iterdir()} == roles


@pytest.mark.parametrize("role", [ROLES[0], *(pytest.param(role, marks=pytest.mark.proof) for role in ROLES[1:])])
def test_a_new_plugin_is_checked_and_runs_its_recipe_when_one_formula_was_changed(role, tmp_path):
    name = f"my-own-{role}"
    script = Path(__file__).with_name("newcomer.sh")
    assert len(script.read_text().splitlines()) < 20
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    environment = os.environ | {
        "FORMULA": FORMULAS[role],
        "SITE": str(tmp_path / "site"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    before = rendered(Names(name, role, kinetic.registry().called(role), kinetic.abstract_class(role).__name__))
    done = subprocess.run(
        ["bash", str(script), name, role, name.replace("-", "_")],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    module = f"src/kinetic_my_own_{role}/my_own_{role}.py"
    assert (tmp_path / f"kinetic-{name}" / module).read_text() != before[module], "the formula was not changed"
    assert f"{role} {name}" in done.stdout
    assert "0 component(s) not checked" in done.stdout
    assert "broken" not in done.stdout
    assert " passed" in done.stdout


@pytest.mark.parametrize("role", ROLES)
def test_the_files_of_a_plugin_are_whole(role, tmp_path):
    folder = scaffold(f"my-own-{role}", role, tmp_path / "new")
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    package = f"kinetic_my_own_{role}"
    assert project["project"]["entry-points"]["kinetic"] == {package: package}
    assert project["project"]["dependencies"] == ["kinetic-flow"]
    assert (folder / "src" / package / "py.typed").exists()
    assert (folder / ".github" / "workflows" / "test.yml").exists()
    for path in folder.rglob("*.py"):
        tree = ast.parse(path.read_text())
        assert ast.get_docstring(tree), path
        assert max(map(len, path.read_text().splitlines())) <= 120, path
    component = (folder / "src" / package / f"my_own_{role}.py").read_text()
    assert component.count("# the formula") == 1
    assert "doc=" in component
    assert "{{" not in "".join(
        path.read_text() for path in folder.rglob("*") if path.is_file() and path.suffix != ".yml"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Ease-In", "in lower case with hyphens, as in 'smooth-start': 'Ease-In'. Say 'ease-in'."),
        ("ease in", "Say 'ease-in'"),
        ("ease_in", "Say 'ease-in'"),
        ("2ease", "in lower case"),
        ("", "in lower case"),
        ("../ease", "Say 'ease'"),
        ("ease-", "Say 'ease'"),
        ("lambda", "'lambda' is a word of Python"),
        ("none", "'none' is a word of Python"),
        ("kts", "there is a schedule named 'kts', of kinetic_schedules"),
        ("solvers", "'kinetic-solvers' is installed, as kinetic_solvers of kinetic-flow|Python package"),
        ("goldilocks", "there is a recipe named 'goldilocks'"),
        ("e" * 61, "at most 60 characters: 61"),
    ],
)
def test_a_name_that_cannot_be_is_refused_before_anything_is_written(name, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OptionError, match=message):
        scaffold(name, "schedule")
    assert not list(tmp_path.iterdir())


def test_a_column_of_every_run_is_no_name_of_a_meter_but_of_a_schedule(tmp_path):
    with pytest.raises(OptionError, match="'nfe' is a column of every run"):
        scaffold("nfe", "meter", tmp_path / "new")
    assert scaffold("nfe", "schedule", tmp_path / "new").is_dir()


def test_a_role_that_there_is_not_is_refused(tmp_path):
    with pytest.raises(UnknownNameError, match=r"no role 'schedul'. Did you mean 'schedule'"):
        scaffold("ease-in", "schedul", tmp_path / "new")


def test_a_distributions_name_is_taken_for_the_plugins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert scaffold("kinetic-ease-in", "schedule") == Path("kinetic-ease-in")
    assert (tmp_path / "kinetic-ease-in" / "src" / "kinetic_ease_in").is_dir()


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("full", "file", "link"):
        with pytest.raises(StoreError, match="exists, and nothing is overwritten: say another folder with --out"):
            scaffold("ease-in", "schedule", tmp_path / name)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["notes.txt"]
    (tmp_path / "empty").mkdir()
    scaffold("ease-in", "schedule", tmp_path / "empty")
    with pytest.raises(StoreError, match="exists"):
        scaffold("ease-in", "schedule", tmp_path / "empty")


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be"):
        scaffold("ease-in", "schedule", tmp_path / "file" / "new")
