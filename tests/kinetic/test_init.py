import ast
import subprocess
import sys
from pathlib import Path

import pytest

import kinetic


def test_every_public_name_is_there_and_known_to_type_checkers():
    tree = ast.parse(Path(kinetic.__file__).read_text())
    checked = {
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    assert checked == set(kinetic._HOME)
    for name in kinetic.__all__:
        assert getattr(kinetic, name) is not None
    assert set(dir(kinetic)) == set(kinetic.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'Solvr'"):
        kinetic.Solvr  # noqa: B018 - the access is what is tested


def test_importing_kinetic_does_not_import_torch():
    code = "import sys, kinetic; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_public_modules_need_no_import_of_their_own():
    code = "import kinetic; [kinetic.errors, kinetic.evidence, kinetic.options, kinetic.testing]"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
