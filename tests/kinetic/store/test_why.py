import pytest

from kinetic._store.why import why_again
from kinetic.errors import StoreError

MADE = {"a": {"field": "12"}, "b": {"field": "12"}, "[run]": {"torch": "2.4", "device": "cpu"}}
RECIPE = {"run": {"samples": 5}}


def test_blocks_that_were_never_finished_and_damaged_ones_are_told_apart_and_nothing_is_written(begun):
    path = begun((0, 2), (2, 4))
    (path / "shards" / "b" / "00000002-00000004.safetensors").write_bytes(b"x")
    before = {each: each.stat().st_mtime_ns for each in path.rglob("*")}
    why = why_again(path, RECIPE, MADE)
    assert why.refused == ""
    assert (why.recipe, why.origin) == ((), ())
    assert why.missing == {"a": ((4, 5),), "b": ((4, 5),)}
    assert why.damaged == {"b": ((2, 4),)}
    assert why.otherwise == {}
    assert why.blocks == 3
    assert why.files == dict.fromkeys(
        ("samples.parquet", "scores.json", "evidence.json", "report.html"), "not written yet"
    )
    assert {each: each.stat().st_mtime_ns for each in path.rglob("*")} == before
    assert RECIPE == {"run": {"samples": 5}}


def test_what_a_run_would_be_refused_for_is_said_with_everything_that_differs(begun):
    path = begun((0, 2))
    other = {**MADE, "a": {"field": "13"}, "[run]": {"torch": "2.5", "device": "cpu"}}
    why = why_again(path, RECIPE, other)
    assert why.refused.startswith(f"{path} was made with other weights or data:\n  a.field is '12' there and '13' here")
    assert why.origin == ("a.field is '12' there and '13' here", "[run].torch is '2.4' there and '2.5' here")
    assert why.otherwise == {"a": ((0, 2),), "b": ((0, 2),)}
    why = why_again(path, {"run": {"samples": 5, "seed": 3}, "title": "x"}, MADE)
    assert "holds another run" in why.refused
    assert why.recipe == ("run.seed is missing there and 3 here", "title is missing there and 'x' here")


def test_a_table_that_is_not_what_was_written_is_named(begun, rewrite):
    path = begun((0, 2), (2, 4), (4, 5))
    for name in ("scores.json", "evidence.json"):
        rewrite(path, name, {})
    (path / "scores.json").write_text("[]")
    (path / "evidence.json").unlink()
    why = why_again(path, RECIPE, MADE)
    assert why.files["scores.json"] == why.files["evidence.json"] == "missing or damaged"


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(StoreError, match="holds no run"):
        why_again(tmp_path, RECIPE, MADE)
