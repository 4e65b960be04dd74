"""Files written whole, and what the file system refuses."""

import errno
import os
import re
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from kinetic import load_run
from kinetic._store.files import (
    check_writable,
    names_in,
    read_json,
    read_text,
    read_toml,
    write_json,
    write_text,
    write_whole,
)
from kinetic.errors import StoreError


def test_a_failed_write_leaves_the_old_file_and_no_trace(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"a": 1})

    def fail(unfinished):
        unfinished.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(StoreError, match=r"a\.json cannot be written: No space left on device\n  Make room"):
        write_whole(path, fail)
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"a": float("nan")})
    assert path.read_text() == '{\n "a": 1\n}\n'
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("error", [SafetensorError("I/O error: No space left on device"), PermissionError("closed")])
def test_every_way_of_not_being_written_is_one_error(tmp_path, error):
    def fail(unfinished):
        raise error

    with pytest.raises(StoreError, match=r"cannot be written: .*\n  Elsewhere, please"):
        write_whole(tmp_path / "x", fail, "Elsewhere, please")
    with pytest.raises(KeyError):  # a fault of ours stays one
        write_whole(tmp_path / "x", lambda part: {}["no"])


@pytest.fixture
def little_room():
    """No file may grow beyond 4 KiB."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    "write",
    [
        lambda part: save_file({"x": torch.zeros(9999)}, part),
        lambda part: pq.write_table(pa.table({"x": np.random.default_rng(0).random(9999)}), part),
        lambda part: part.write_text("x" * 9999),
    ],
)
def test_where_there_is_no_room_the_error_is_of_the_store_and_nothing_is_left(tmp_path, little_room, write):
    with pytest.raises(StoreError, match=r"x cannot be written: .*\n  Make room"):
        write_whole(tmp_path / "x", write)
    assert names_in(tmp_path) == []


def test_bytes_of_a_name_that_are_no_text_are_written_as_escapes(tmp_path):
    write_text(tmp_path / "x", "é \udcff")
    assert (tmp_path / "x").read_bytes() == "é \\udcff".encode()


def test_a_place_below_a_file_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    for attempt in (lambda: write_json(tmp_path / "file" / "x", 1), lambda: check_writable(tmp_path / "file" / "x")):
        with pytest.raises(StoreError, match=r"cannot be written.*: (Not a directory|File exists)"):
            attempt()


def test_what_can_be_written_is_left_as_it_was(tmp_path):
    check_writable(tmp_path / "a" / "b")
    check_writable(tmp_path)
    assert names_in(tmp_path) == names_in(tmp_path / "a") == []


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert read_text(path) == '{"a": 1}'
    assert read_json(path) == {"a": 1}
    path.write_bytes(b"\xef\xbb\xbfa = 1")
    assert read_toml(path) == {"a": 1}


@pytest.mark.parametrize("read", [read_json, read_toml, read_text])
@pytest.mark.parametrize("content", [b"\xff\xfe", b"x = " + b"[" * 9000, b"x = " + b"9" * 5000])
def test_what_cannot_be_read_is_named(tmp_path, read, content):
    path = tmp_path / "x"
    path.write_bytes(content)
    if read is read_text and not content.startswith(b"\xff"):
        assert read(path) == content.decode()
        return
    with pytest.raises(StoreError, match=r"x cannot be read: .*\n  "):
        read(path)
    with pytest.raises(StoreError, match="y cannot be read: No such file or directory\n  "):
        read(tmp_path / "y")


LIMITED = """
import resource, runpy, sys
limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
runpy.run_module("kinetic", run_name="__main__")
"""
SMALL = """
    [run]
    samples = 60
    batch = 40
    [field]
    name = "gaussian"
    [solver]
    name = "euler"
    steps = 2
    [energy.kpe]
    [arms.one]
    [arms.two.schedule]
    name = "constant"
    value = 0.9
"""


@pytest.mark.proof
@pytest.mark.parametrize(
    ("limit", "full"),
    [
        (100, "recipe.toml"),
        (1200, "provenance.json"),
        (3600, "00000000-00000040.safetensors"),
        (12_000, "samples.parquet|evidence.json"),
        (60_000, "report.html"),
    ],
)
def test_a_disk_that_is_full_ends_a_run_with_one_sentence_and_the_same_command_goes_on(tmp_path, recipe, limit, full):
    out, environment = tmp_path / "out", {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "500"}
    words = ["run", str(recipe(SMALL)), "--device", "cpu", "--out", str(out)]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(limit), *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert re.search(rf"error: .*({full}) cannot be written: .*File too large", done.stderr), done.stderr
    assert "Traceback" not in done.stderr
    assert not list(out.rglob("*.part"))
    again = subprocess.run(
        [sys.executable, "-m", "kinetic", *words], env=environment, capture_output=True, text=True, check=False
    )
    assert again.returncode == 0, again.stderr
    assert len(load_run(out).table) == 120


def test_a_folder_in_place_of_a_file_and_a_file_in_place_of_a_folder_are_no_full_disk(tmp_path):
    (tmp_path / "x.json").mkdir()
    (tmp_path / "shards").write_text("mine")
    for path in (tmp_path / "x.json", tmp_path / "shards" / "y.json", tmp_path / "shards" / "a" / "y.json"):
        with pytest.raises(StoreError, match=r"cannot be written: .*\n  A folder stands where a file is to be, or"):
            write_json(path, {})
    with pytest.raises(StoreError, match=r"cannot be written: .*\n  Choose another --cache"):
        write_json(tmp_path / "x.json", {}, "Choose another --cache")
    (tmp_path / "link").symlink_to(tmp_path / "x.json")
    write_json(tmp_path / "link", {})
    assert (tmp_path / "link").read_text() == "{}\n"
