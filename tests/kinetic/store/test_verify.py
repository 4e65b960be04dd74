import os

import pytest

from kinetic._store.manifest import Manifest
from kinetic._store.run_folder import RunFolder
from kinetic._store.verify import verify
from kinetic.errors import StoreError

A = "shards/a/00000000-00000002.safetensors"
B = "shards/b/00000002-00000004.safetensors"


def test_every_file_is_held_to_what_was_written_and_every_block_looked_for(begun):
    path, counted = begun((0, 2), (2, 4)), []
    whole = verify(path, lambda files: counted.append(files) or counted.append)
    assert counted == [6, *[1] * 6]
    assert whole.is_whole
    assert not whole.is_finished
    assert (whole.files, whole.blocks) == (6, 3)
    assert whole.lacking == {"a": ((4, 5),), "b": ((4, 5),)}
    (path / A).write_bytes((path / A).read_bytes()[::-1])
    (path / B).unlink()
    (path / "shards" / "a" / "notes.txt").write_text("mine")
    damaged = verify(path)
    assert not damaged.is_whole
    assert list(damaged.damaged) == [A]
    assert "is not what was written" in damaged.damaged[A]
    assert damaged.missing == (B,)
    assert damaged.unlisted == ("shards/a/notes.txt",)
    assert damaged.lacking == {"a": ((0, 2), (4, 5)), "b": ((2, 4), (4, 5))}


def test_a_finished_run_lacks_no_block(begun, rewrite):
    path = begun((0, 2), (2, 4))
    rewrite(path, "evidence.json", {})
    found = verify(path)
    assert found.is_finished
    assert not found.damaged
    assert not found.is_whole


@pytest.mark.parametrize("put", [os.mkdir, os.mkfifo, lambda path: os.symlink(path, path)])
def test_what_is_no_file_is_damaged(begun, put):
    path = begun((0, 2))
    (path / A).unlink()
    put(path / A)
    assert list(verify(path).damaged) == [A]


def test_a_run_that_writes_meanwhile_is_not_taken_for_a_damaged_one(begun):
    path = begun((0, 2))

    def written(files):
        """Before the first file is read, the run puts another one in its place, and lists it."""
        Manifest.read(path).write("provenance.json", lambda part: part.write_text("{}"))
        Manifest.read(path).write("scores.json", lambda part: part.write_text("{}"))
        return lambda done: None

    found = verify(path, written)
    assert found.is_whole
    assert not found.unlisted


def test_a_folder_that_a_process_holds_is_read_too(begun):
    path = begun((0, 2))
    made = {"a": {"field": "12"}, "b": {"field": "12"}, "[run]": {"torch": "2.4", "device": "cpu"}}
    with RunFolder.open(path, {"run": {"samples": 5}}, made, batch=2):
        assert verify(path).is_whole


def test_a_folder_without_a_list_says_so(tmp_path):
    with pytest.raises(StoreError, match=r"holds no run$"):
        verify(tmp_path)
    (tmp_path / "recipe.toml").write_text("")
    with pytest.raises(StoreError, match="it lists no files, so nothing tells"):
        verify(tmp_path)
