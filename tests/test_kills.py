"""Runs that are killed with SIGKILL and resumed give what an undisturbed run gives; see tests/bench/kills.py."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = Path(__file__).parent / "bench" / "kills.py"
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the runs are forks of one process")


def killed(*words):
    done = subprocess.run([sys.executable, KILLS, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    kills, other, errors = (int(part.split()[0]) for part in done.stdout.splitlines()[-1].split(", "))
    assert (other, errors) == (0, 0)
    return kills


@pytest.mark.parametrize("half", ["0/2", "1/2"])
def test_a_run_killed_at_any_of_its_writes_gives_the_same_once_resumed(half):
    assert killed("every", half) > 40  # 15 files, 12 of them on the way to the evidence, and 25 lines


def test_a_run_killed_at_any_moment_gives_the_same_once_resumed():
    assert killed("moments", "3") == 3
