"""Runs that are killed with SIGKILL and resumed give what an undisturbed run gives; see tests/bench/kills.py."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kinetic import load_recipe
from kinetic._store.manifest import Manifest
from kinetic.errors import StoreError

KILLS = Path(__file__).parent / "bench" / "kills.py"
sys.path.insert(0, str(KILLS.parent))

import kills  # noqa: E402

pytestmark = [
    pytest.mark.proof,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the runs are forks of one process"),
]


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


def lost(folder, way):
    """What somebody else does to a folder: delete it, rename it, or put another one in its place."""
    if way == "deleted":
        shutil.rmtree(folder)
        return
    folder.rename(folder.with_name("renamed"))
    if way == "replaced":
        folder.mkdir()


@pytest.mark.parametrize("way", ["deleted", "renamed", "replaced"])
def test_a_run_whose_folder_is_taken_away_ends_with_one_error_and_makes_none_in_its_place(way, tmp_path, monkeypatch):
    monkeypatch.setattr("kinetic._report.page.pictures", lambda run: [])
    (tmp_path / "r.toml").write_text(kills.RECIPE)
    recipe, out, write = load_recipe(tmp_path / "r.toml"), tmp_path / "out", Manifest.write
    whole = recipe.run(tmp_path / "whole", "cpu")
    for k in range(15):  # every file of the run
        written = []

        def taken(manifest, name, *args, k=k, written=written):
            if len(written) == k:
                lost(out, way)
            written.append(name)
            write(manifest, name, *args)

        with monkeypatch.context() as patch:
            patch.setattr(Manifest, "write", taken)
            with pytest.raises(StoreError, match="was deleted, renamed or replaced"):
                recipe.run(out, "cpu")
        assert len(written) == k + 1
        assert not out.exists() if way != "replaced" else not [*out.iterdir()]
        if way == "renamed":
            assert not [*kills.differences(whole.folder, recipe.run(tmp_path / "renamed", "cpu").folder)]
        shutil.rmtree(tmp_path / "renamed", ignore_errors=True)
    assert not [*kills.differences(whole.folder, recipe.run(out, "cpu").folder)]
