import datetime
import json
import os

import pytest

from kinetic._store.journal import append
from kinetic._store.lock import locked
from kinetic._store.status import status_of
from kinetic.errors import StoreError

NOW = datetime.datetime(2026, 1, 1, 12, 0, 40, tzinfo=datetime.UTC)


def shard(arm, start, stop, seconds, nfe, minute=0, **more):
    return {
        "time": f"2026-01-01T12:{minute:02}:00+00:00",
        "event": "shard",
        "arm": arm,
        "start": start,
        "stop": stop,
        "seconds": seconds,
        "nfe": nfe,
        **more,
    }


@pytest.fixture
def folder(begun):
    path = begun((0, 2), (2, 4))
    (path / "events.jsonl").unlink()
    return path


def test_a_run_is_as_far_as_its_blocks_and_as_quick_as_of_late(folder):
    lines = [
        {"time": "2026-01-01T11:00:00+00:00", "event": "started", "process": 12, "host": "here"},
        {"time": "2026-01-01T11:00:01+00:00", "event": "batch", "before": 4, "after": 2, "why": "full"},
        shard("a", 0, 2, 4.0, 14, memory=100),
        shard("a", 2, 4, 4.0, 10, memory=300, cuda_memory=7),
        {"time": "2026-01-01T12:00:00+00:00", "event": "left out", "arm": "a", "samples": [1, 3], "t": [0.5, 0.5]},
        {"time": "2026-01-01T12:00:00+00:00", "event": "drawn again", "arm": "a", "start": 2, "stop": 4},
    ]
    for line in lines:
        append(folder / "events.jsonl", line)
    append(folder / "events.part-2-of-2.jsonl", shard("b", 0, 2, 2.0, 6))
    status = status_of(folder, NOW)
    a, b = status.runs
    assert (a.run, a.blocks, a.of, a.samples, a.left_out, a.drawn_again) == ("a", 2, 3, 4, 2, 1)
    assert (a.samples_per_second, a.nfe, a.seconds_left) == (0.5, 6.0, 2.0)
    assert (b.samples_per_second, b.nfe, b.seconds_left) == (1.0, 3.0, 1.0)
    assert status.state == "stopped"
    assert (status.process, status.host) == (12, "here")
    assert status.writers == ("", "part-2-of-2")
    assert status.batches == ((4, 2),)
    assert (status.memory, status.cuda_memory) == (300, 7)
    assert status.last_event_age == 40
    assert status.seconds_left == 3.0
    assert json.loads(json.dumps(status.to_json(), allow_nan=False))["runs"][1]["nfe"] == 3.0


def test_the_speeds_of_processes_that_draw_one_arm_together_add_up(folder):
    for name in ("events.jsonl", "events.rank-1.jsonl"):
        append(folder / name, shard("a", 0, 2, 4.0, 14))
    status = status_of(folder, NOW)
    assert status.runs[0].samples_per_second == 1.0
    assert status.runs[1].samples_per_second is None
    assert status.runs[1].seconds_left == 1.0  # at the speed of the other


def test_only_the_last_blocks_count_for_the_speed(folder):
    for i in range(12):
        append(folder / "events.jsonl", shard("a", 2 * i, 2 * i + 2, 100.0 if i < 4 else 1.0, 2))
    assert status_of(folder, NOW).runs[0].samples_per_second == 2.0


def test_before_the_first_block_nothing_is_known_of_the_rest(begun):
    path = begun()
    status = status_of(path)
    assert status.seconds_left is None
    assert [(run.blocks, run.of, run.nfe) for run in status.runs] == [(0, 3, None), (0, 3, None)]
    assert status.process == os.getpid()
    assert status.last_event == "started"
    assert 0 <= status.last_event_age < 60


def test_a_folder_that_a_process_holds_is_under_way_and_one_with_evidence_finished(begun, rewrite):
    path = begun((0, 2))
    with locked(path):
        assert status_of(path).state == "running"
    assert status_of(path).state == "stopped"
    with locked(path, "rank-1"):
        assert status_of(path).state == "running"
    rewrite(path, "evidence.json", {})
    assert status_of(path).state == "finished"


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"holds no run: there is no recipe\.toml"):
        status_of(tmp_path)
