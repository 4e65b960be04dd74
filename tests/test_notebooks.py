"""The notebook of the docs: its cells run, and what stands below them is what the code gives now."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.proof

DOCS = Path(__file__).parent.parent / "docs"
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")

WITH_A_KERNEL = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], 4)
nbformat.validate(notebook)
NotebookClient(notebook, timeout=500, resources={"metadata": {"path": sys.argv[2]}}).execute()
nbformat.write(notebook, sys.argv[3])
"""


@pytest.fixture(scope="module")
def maker():
    spec = importlib.util.spec_from_file_location("notebook", DOCS / "_make" / "notebook.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def committed(maker):
    return json.loads(maker.NOTEBOOK.read_text(encoding="utf-8"))


def kinds(cell):
    """What kinds of output a cell has, and the text of those that are text."""
    shown = [each.get("data", {"text/plain": each.get("text")}) for each in cell.get("outputs", [])]
    texts = ["".join(data[kind]) for data in shown for kind in ("text/html", "text/plain") if kind in data]
    return [sorted(data) for data in shown], texts


def test_the_cells_run_and_give_what_is_committed(maker, committed):
    again = maker.executed(committed)
    for cell, before in zip(again["cells"], committed["cells"], strict=True):
        (now, texts), (then, words) = kinds(cell), kinds(before)
        assert now == then, "python docs/_make/notebook.py writes it anew"
        for text, word in zip(texts, words, strict=True):
            assert NUMBER.sub("#", text) == NUMBER.sub("#", word), "python docs/_make/notebook.py writes it anew"
            numbers = [[float(number) for number in NUMBER.findall(each)] for each in (text, word)]
            assert np.allclose(*numbers, rtol=0.02, atol=0.02), "python docs/_make/notebook.py writes it anew"


def test_every_cell_of_code_shows_something(committed):
    for cell in committed["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"], cell["source"]
    pictures = [each for cell in committed["cells"] for each in cell.get("outputs", []) if "image/png" in str(each)]
    assert len(pictures) >= 4


def test_the_page_is_the_notebook(maker, committed):
    text, pictures = maker.page(committed)
    assert maker.PAGE.read_text(encoding="utf-8") == text
    assert {path.name for path in maker.PAGE.parent.glob("*.png")} == {*pictures}
    for name, png in pictures.items():
        assert (maker.PAGE.parent / name).read_bytes() == png


def test_page_and_notebook_hold_no_script_and_ask_nothing_of_the_network(maker):
    for path in (maker.PAGE, maker.NOTEBOOK):
        text = path.read_text(encoding="utf-8")
        assert "<script" not in text
        assert "://" not in text


def test_a_real_kernel_runs_it_and_shows_the_same_kinds(maker, committed, tmp_path):
    for package in ("nbclient", "ipykernel"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"needs {package}")
    out = tmp_path / "out.ipynb"
    command = [sys.executable, "-c", WITH_A_KERNEL, str(maker.NOTEBOOK), str(tmp_path), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for cell, before in zip(json.loads(out.read_text())["cells"], committed["cells"], strict=True):
        outputs = cell.get("outputs", [])  # but for the progress of the run
        seen = [each for each in outputs if each.get("name") == "stdout" or each["output_type"] == "execute_result"]
        assert kinds({"outputs": seen})[0] == kinds(before)[0]
