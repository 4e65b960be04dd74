import hashlib
import json
import os

import pytest

from kinetic._store.manifest import Manifest
from kinetic.errors import StoreError


def written(folder, name="a/b.bin", content=b"content", made=""):
    manifest = Manifest.read(folder)
    manifest.write(name, lambda part: part.write_bytes(content), made)
    return manifest


def test_a_file_is_listed_with_its_digest_size_and_origin(tmp_path):
    written(tmp_path, made="abc")
    entry = Manifest.read(tmp_path).entries["a/b.bin"]
    assert (entry.sha256, entry.bytes, entry.made) == (hashlib.sha256(b"content").hexdigest(), 7, "abc")
    assert Manifest.read(tmp_path).check("a/b.bin") == tmp_path / "a/b.bin"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b.bin", "manifest.jsonl"]


@pytest.mark.parametrize("content", [b"", b"contenT", b"content ", b"conten"])
def test_a_file_that_is_another_is_refused(tmp_path, content):
    manifest = written(tmp_path)
    manifest.check("a/b.bin")
    (tmp_path / "a/b.bin").write_bytes(content)
    os.utime(tmp_path / "a/b.bin", ns=(1, 1))
    for each in (manifest, Manifest.read(tmp_path)):
        with pytest.raises(StoreError, match=r"b\.bin is not what was written"):
            each.check("a/b.bin")


def replaced(path, how):
    path.unlink()
    if how == "folder":
        path.mkdir()
    elif how == "pipe":
        os.mkfifo(path)
    elif how == "loop":
        path.symlink_to(path)


@pytest.mark.parametrize(
    ("how", "cause"), [("gone", "No such file"), ("folder", "no file"), ("pipe", "no file"), ("loop", "symbolic link")]
)
def test_what_is_no_file_is_refused_and_never_waited_for(tmp_path, how, cause):
    written(tmp_path)
    replaced(tmp_path / "a/b.bin", how)
    with pytest.raises(StoreError, match=rf"b\.bin cannot be read: .*{cause}"):
        Manifest.read(tmp_path).check("a/b.bin")


def test_a_file_that_was_never_written_whole_is_not_listed(tmp_path):
    manifest = Manifest.read(tmp_path)

    def stop(part):
        part.write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        manifest.write("a", stop)
    assert Manifest.read(tmp_path).entries == {}
    assert os.listdir(tmp_path) == []
    with pytest.raises(StoreError, match=r"a is not among the files that manifest\.jsonl lists"):
        manifest.check("a")


def test_the_last_line_of_a_file_counts_and_a_forgotten_one_is_gone(tmp_path):
    written(tmp_path, content=b"first")
    manifest = written(tmp_path, content=b"second")
    assert Manifest.read(tmp_path).check("a/b.bin").read_bytes() == b"second"
    manifest.forget("a/b.bin")
    assert Manifest.read(tmp_path).entries == manifest.entries == {}
    assert not (tmp_path / "a/b.bin").exists()


def test_lists_of_several_processes_are_read_together_and_brought_into_one(tmp_path):
    for writer in ("", "1", "2"):
        manifest = Manifest.read(tmp_path, writer)
        manifest.write(f"file-{writer}", lambda part: part.write_text("x"))
    assert {path.name for path in tmp_path.glob("manifest*")} == {f"manifest{w}.jsonl" for w in ("", ".1", ".2")}
    whole = Manifest.read(tmp_path)
    whole.compact()
    assert {path.name for path in tmp_path.glob("manifest*")} == {"manifest.jsonl"}
    assert Manifest.read(tmp_path).entries == whole.entries
    assert set(whole.entries) == {"file-", "file-1", "file-2"}


@pytest.mark.parametrize("line", ['{"file": 3}', '{"file": "a", "sha256": 1, "bytes": 2}', "[]", '{"sha256": "x"}'])
def test_a_line_that_says_something_else_lists_nothing(tmp_path, line):
    (tmp_path / "manifest.jsonl").write_text(line + "\n")
    assert Manifest.read(tmp_path).entries == {}


def test_written_files_have_the_permissions_of_others(tmp_path):
    written(tmp_path)
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "a/b.bin").stat().st_mode & 0o777 == 0o666 & ~mask


def test_a_link_under_the_name_of_an_unfinished_file_is_not_followed(tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("mine")
    folder = tmp_path / "run"
    folder.mkdir()
    for name in (f".x.{os.getpid()}.part", ".x.part"):
        (folder / name).symlink_to(outside)
    written(folder, "x")
    assert outside.read_text() == "mine"


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "shards/../../x", "", ".", "a\x00b", "\ud800"])
def test_a_list_names_files_of_its_folder_alone(tmp_path, name):
    line = json.dumps({"file": name, "sha256": "0" * 64, "bytes": 0})
    (tmp_path / "manifest.jsonl").write_text(line + "\n")
    assert Manifest.read(tmp_path).entries == {}
