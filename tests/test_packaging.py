"""The tree, the entry points and the wheel agree, and the core imports no plugin."""

import ast
import importlib.resources
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_plugin_package_has_its_entry_point_and_is_in_the_wheel():
    packages = {path.name for path in (ROOT / "plugins").glob("kinetic_*") if path.is_dir()}
    points = PROJECT["project"]["entry-points"]["kinetic"]
    assert packages == set(points) == set(points.values())
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert set(wheel) == {"kinetic", *(f"plugins/{name}" for name in packages)}
    assert packages | {"kinetic"} == set(PROJECT["tool"]["mypy"]["packages"])


@pytest.mark.parametrize("package", ["kinetic", *PROJECT["project"]["entry-points"]["kinetic"]])
def test_every_package_says_as_it_is_installed_that_it_is_typed(package):
    assert importlib.resources.files(package).joinpath("py.typed").is_file()


def test_the_example_says_that_it_is_typed():
    assert (ROOT / "plugins" / "kinetic-example" / "src" / "kinetic_example" / "py.typed").is_file()


def test_the_core_imports_no_plugin():
    for path in (ROOT / "kinetic").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.startswith("kinetic_")], path


def test_a_plugins_init_holds_imports_and_hooks_only():
    for path in (ROOT / "plugins").glob("kinetic_*/__init__.py"):
        for node in ast.parse(path.read_text()).body:
            allowed = isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef)
            assert allowed or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)), (path, node.lineno)


def test_every_module_has_its_mirrored_test():
    for package in (ROOT / "kinetic", *(ROOT / "plugins").glob("kinetic_*")):
        for path in package.rglob("*.py"):
            name = path.stem.lstrip("_")
            if path.stem in ("__init__", "__main__", "types"):
                continue
            assert list((ROOT / "tests").rglob(f"test_{name}.py")), f"no test for {path.relative_to(ROOT)}"
