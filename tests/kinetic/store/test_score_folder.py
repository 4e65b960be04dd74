"""Scores of samples that others made, in a folder."""

import json

import pytest

from kinetic import Score, SetScores
from kinetic._store.score_folder import free_folder
from kinetic.errors import StoreError
from kinetic.evidence import Estimate


def test_a_file_name_that_is_no_text_stands_in_the_table_all_the_same():
    assert SetScores(2, {}, files=("\udcff.png", "é.png")).table["file"].to_pylist() == [r"\xff.png", "é.png"]


def test_a_score_that_is_no_number_is_kept_as_null(tmp_path):
    SetScores(2, {"m": Score({"bad": Estimate(float("nan"))})}).save(tmp_path / "out")
    kept = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert kept == {"m": {"bad": {"value": None, "low": None, "high": None}}}


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "diary.txt").write_text("")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "recipe.toml").write_text("")
    (tmp_path / "run" / "scores.json").write_text("{}")
    for name, said in (("file", "is a file"), ("notes", "holds no scores"), ("run", "holds a run")):
        with pytest.raises(StoreError, match=said):
            free_folder(tmp_path / name)
    assert free_folder(tmp_path / "new") == tmp_path / "new"
