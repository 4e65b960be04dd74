"""The core knows no plugin's column, metric or component by name, and stays readable."""

import ast
import re
from pathlib import Path

import pytest
from kinetic_digits import Digits

import kinetic
from kinetic import registry
from kinetic._sample.columns import OWN

DOTTED = re.compile(r"[\w-]*(\.[\w-]+)+")  # as in ".ratio" or "memorisation.ratio"
CORE = Path(kinetic.__file__).parent
PLUGINS = CORE.parent / "plugins"
GENERIC = {  # words of the roles themselves, or of every language: `Solver.solve` defines status, a score is a score
    *("status", "t_end", "score", "index", "distance", "density", "support", "margin", "path", "constant"),
    *("features", "module", "given", "digits", "pixels", "length", "power", "peak", "energy"),
}


def strings(path):
    """Every string of a module that is no docstring, and the pieces between its dots."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield from {node.value, *(node.value.split(".") if DOTTED.fullmatch(node.value) else ())}


def told():
    """The names of all components that plugins offer, and of all columns of their meters, solvers and metrics."""
    known = registry()
    names = {name for classes in known.classes.values() for name in classes}
    for role in ("meter", "solver", "metric"):
        for cls in known.classes[role].values():
            described = getattr(cls, "described", ())
            columns = described if isinstance(described, tuple) else _of_instance(cls)
            names |= {each for column in columns for each in (column.name, column.value)}
    return names - GENERIC - {column.name for column in OWN}


def _of_instance(cls):
    data = Digits(size=8)
    for options in (
        {},
        {"train": data},
        {"reference": data, "k": 3},
        {"train": data, "held_out": Digits(split="test")},
    ):
        try:
            return cls(**options).described
        except (TypeError, kinetic.KineticError):
            continue
    return ()


def test_the_core_knows_no_column_metric_or_component_of_a_plugin():
    names = told()
    assert {"kpe", "bending", "memorised", "ratio", "fd", "margin_mean", "tortuosity"} <= names
    for path in CORE.rglob("*.py"):
        known = names & set(strings(path))
        if path.name not in ("score_command.py", "provenance.py"):  # words people type for another; packages
            assert not known, f"{path.relative_to(CORE)} knows {sorted(known)}"


@pytest.mark.parametrize("root", [CORE, PLUGINS])
def test_a_module_has_at_most_300_lines(root):
    for path in root.rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, path


def test_a_function_of_the_core_fits_a_screen():
    for path in CORE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                lines = node.end_lineno - node.lineno + 1
                assert lines <= 50, f"{path.relative_to(CORE)}: {node.name} has {lines} lines"
