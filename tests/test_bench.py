"""The benchmarks run, at small sizes; peers that are not installed become rows that say so."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parent / "bench"


@pytest.mark.parametrize(
    "name",
    ["solvers", "adaptive", "energy", "metering", "empirical", "frechet", "neighbours", "scores", "coverage", "study"],
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
