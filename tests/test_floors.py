"""The core is a house of floors: imports run downwards, and nothing goes round in a circle."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent / "kinetic"
FLOORS = (  # from the roof down; a module imports its own floor and those below
    ("__main__", "_cli"), ("_scaffold",), ("_experiment",), ("_report",), ("_progress",), ("_store", "testing"),
    ("_plugins",), ("_sample",), ("_evaluate",), ("_roles",), ("fetch", "networks"),
    ("options", "evidence", "precision", "_display", "_terminal", "_interrupt"), ("errors", "types"),
)  # fmt: skip
DEPTH = {name: depth for depth, floor in enumerate(FLOORS) for name in floor}


def imports():
    """`{module: modules it imports}`, at its top or inside a function, but for the lazy `__init__`."""
    paths = {".".join(("kinetic", *p.relative_to(ROOT).with_suffix("").parts)): p for p in ROOT.rglob("*.py")}
    below = {module: set() for module in paths if module != "kinetic.__init__"}
    for module in below:
        for node in ast.walk(ast.parse(paths[module].read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kinetic"):
                names = {f"{node.module}.{alias.name}" for alias in node.names}
                below[module] |= (names & paths.keys()) or ({node.module} - {"kinetic"})
    return below


def test_imports_run_downwards():
    for module, others in imports().items():
        for other in others:
            assert DEPTH[module.split(".")[1]] <= DEPTH[other.split(".")[1]], f"{module} imports {other}, upwards"


def test_no_import_goes_round_in_a_circle():
    below = imports()
    while free := [module for module, others in below.items() if not others & below.keys()]:
        below = {module: others for module, others in below.items() if module not in free}
    assert not below, f"circles among {sorted(below)}"
