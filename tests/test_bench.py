"""The benchmarks run, at small sizes; peers that are not installed become rows that say so."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.proof

BENCH = Path(__file__).parent / "bench"
sys.path.insert(0, str(BENCH))

import memory  # noqa: E402


@pytest.mark.parametrize(
    "name",
    [
        "solvers",
        "adaptive",
        "energy",
        "metering",
        "empirical",
        "frechet",
        "neighbours",
        "scores",
        "memory",
        "coverage",
        "study",
        "grids",
    ],
)
def test_a_benchmark_prints_its_tables(name, tmp_path):
    (tmp_path / "page.md").write_text("Words that stay.\n<!-- tables -->\nThe tables before.")
    done = subprocess.run(
        [sys.executable, BENCH / "run.py", "--quick", "--out", tmp_path / "page.md", name],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.md").read_text()
    assert page.startswith("Words that stay.\n<!-- tables -->\n\nPrinted by `python tests/bench/run.py")
    assert "### " in page
    assert "The tables before" not in page
    assert "nan" not in page.split("###", 1)[1]


def test_memory_while_samples_are_drawn_does_not_grow_with_their_number(tmp_path):
    def drawing(samples):
        folder = tmp_path / str(samples)
        folder.mkdir()
        (folder / "r.toml").write_text(memory.RECIPE)
        command = [sys.executable, BENCH / "memory.py", folder, f"run.samples={samples}", "run.batch=100"]
        done = subprocess.run([*command, "field.size=12288"], capture_output=True, text=True, check=True)
        return json.loads(done.stdout.splitlines()[-1])["drawing"]

    few, many = drawing(300), drawing(3000)
    assert many - few < 0.25 * 2700 * 12288 * 4 * 3  # samples of one arm, samples and denoised ones of the other
