"""The core is a house of floors: imports run downwards, and nothing goes round in a circle."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent / "kinetic"
FLOORS = (  # from the roof down; a module imports its own floor and those below
    {"__main__", "_cli"},
    {"_experiment"},
    {"_report"},
    {"_progress"},
    {"_store", "testing"},
    {"_plugins"},
    {"_sample"},
    {"_evaluate"},
    {"_roles"},
    {"options", "evidence", "precision", "_terminal"},
    {"errors", "types"},
)
HEIGHT = {name: -i for i, floor in enumerate(FLOORS) for name in floor}


def imports():
    """`(module, module it imports)`, at the top of it or inside a function, what is for types alone included."""
    modules = {".".join(("kinetic", *p.relative_to(ROOT).with_suffix("").parts)): p for p in ROOT.rglob("*.py")}
    for module, path in modules.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "kinetic":
                for name in (f"{node.module}.{alias.name}" for alias in node.names):
                    yield module, name if name in modules else node.module


def test_imports_run_downwards_but_for_the_lazy_init_and_no_module_is_on_no_floor():
    for module, other in imports():
        if module != "kinetic.__init__" and other != "kinetic":
            here, there = (HEIGHT[name.split(".")[1]] for name in (module, other))
            assert here >= there, f"{module} imports {other}, which is on a higher floor"


def test_no_import_goes_round_in_a_circle():
    below = {}
    for module, other in imports():
        below.setdefault(module, set()).add(other)

    def walk(module, path):
        assert module not in path, " -> ".join((*path, module))
        return [walk(other, (*path, module)) for other in below.get(module, ()) if other.count(".") > 0]

    for module in below:
        if module not in ("kinetic.__init__", "kinetic._cli", "kinetic.__main__"):
            walk(module, ())
