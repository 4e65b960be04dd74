import signal
import subprocess
import sys

import pytest

from kinetic._store import lock
from kinetic._store.journal import append
from kinetic._store.lock import is_held, joined, locked, opening
from kinetic.errors import StoreError

HOLD = """
import sys, time
from pathlib import Path
from kinetic._store.lock import locked
with locked(Path(sys.argv[1]), sys.argv[2]):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def held(tmp_path):
    """held(writer): another process that holds the folder."""
    running = []

    def hold(writer=""):
        process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path), writer], stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"held\n"
        running.append(process)
        return process

    yield hold
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize(("theirs", "ours"), [("", ""), ("", "part-1-of-2"), ("part-1-of-2", ""), ("1", "1")])
def test_a_second_writer_is_refused_with_the_first_one_named(tmp_path, held, theirs, ours):
    append(tmp_path / "events.jsonl", {"event": "started", "process": 4711, "host": "here"})
    process = held(theirs)
    said = rf"{tmp_path} is being written to by another process: number 4711 on here\n  Wait until it ends, or choose"
    with pytest.raises(StoreError, match=said), locked(tmp_path, ours):
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    with locked(tmp_path, ours):
        pass


def test_parts_of_one_run_are_written_side_by_side(tmp_path, held):
    process = held("part-1-of-2")
    with locked(tmp_path, "part-2-of-2") as alone:
        assert not alone
    process.kill()
    process.wait()
    with locked(tmp_path, "part-2-of-2") as alone:
        assert alone
    assert not (tmp_path / ".lock-part-1-of-2").exists()


def test_those_that_the_leading_process_sent_for_hold_the_folder_with_it(tmp_path, held):
    held()
    with joined(tmp_path, "rank-1"), joined(tmp_path, "rank-2"):
        with pytest.raises(StoreError, match="is being written to"), joined(tmp_path, "rank-1"):
            pass
        with pytest.raises(StoreError, match="is being written to"), locked(tmp_path):
            pass


def test_a_rank_that_outlived_the_one_that_led_keeps_others_out(tmp_path, held):
    held("rank-1")
    with pytest.raises(StoreError, match="is being written to"), locked(tmp_path):
        pass


def test_one_process_after_the_other_opens_a_folder(tmp_path, monkeypatch):
    with opening(tmp_path), locked(tmp_path) as alone:
        assert alone
    monkeypatch.setattr(lock, "_PATIENCE", 0.0)
    with opening(tmp_path), pytest.raises(StoreError, match="is being written to"), opening(tmp_path):
        pass


def test_a_disk_without_locks_is_told_as_such(tmp_path, monkeypatch):
    def refuse(self, timeout):
        raise NotImplementedError("no flock here")

    monkeypatch.setattr(lock.FileLock, "acquire", refuse)
    with pytest.raises(StoreError, match="cannot be locked: no flock here\n  Choose a folder"), locked(tmp_path):
        pass


def test_the_lock_goes_with_the_block(tmp_path):
    with locked(tmp_path):
        pass
    with locked(tmp_path), pytest.raises(StoreError), locked(tmp_path):
        pass


def test_whether_a_folder_is_held_is_seen_without_holding_it(tmp_path, held):
    assert not is_held(tmp_path)
    process = held("rank-1")
    assert is_held(tmp_path)
    process.kill()
    process.wait()
    assert not is_held(tmp_path)
    with locked(tmp_path):
        assert is_held(tmp_path)


def test_what_is_no_lock_is_not_held(tmp_path):
    (tmp_path / ".lock").mkdir()
    assert not is_held(tmp_path)
