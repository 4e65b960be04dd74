import pytest
import torch

from kinetic._sample.shard import Shard
from kinetic._store.events import seconds_of, shard_event
from kinetic._store.journal import append


def test_a_shard_is_recorded_with_its_speed_velocities_and_memory():
    x = torch.zeros(4, 2)
    event = shard_event("kts", Shard(8, x, x, {"nfe": torch.tensor([3.0, 3, 3, 5])}), 2.0)
    memory = event.pop("memory")
    assert memory > 2**20
    event.pop("cuda_memory", None)
    assert event == {"arm": "kts", "start": 8, "stop": 12, "seconds": 2.0, "nfe": 14.0, "samples_per_second": 2.0}


def test_seconds_are_summed_over_shards_each_as_it_was_drawn_last(tmp_path):
    lines = [("a", 0, 1.0), ("a", 4, 2.0), ("b", 0, 7.0), ("a", 4, 0.5), ("a", 8, "no number")]
    for arm, start, seconds in lines:
        append(tmp_path / "events.jsonl", {"event": "shard", "arm": arm, "start": start, "seconds": seconds})
    append(tmp_path / "events.jsonl", {"event": "started"})
    assert seconds_of(tmp_path, ["a", "b", "c"]) == {"a": 1.5, "b": 7.0, "c": 0}


@pytest.mark.parametrize(
    "line",
    [
        '{"event": "shard", "arm": "a", "start": 0, "seconds": NaN}',
        '{"event": "shard", "arm": "a", "start": 0, "seconds": 1e999}',
        '{"event": "shard", "arm": "a", "start": 0, "seconds": -1}',
        '{"event": "shard", "arm": ["a"], "start": {}, "seconds": 1}',
        '{"event": "shard", "seconds": 1}',
    ],
)
def test_a_line_that_is_no_shard_of_ours_has_no_seconds(tmp_path, line):
    append(tmp_path / "events.jsonl", {"event": "shard", "arm": "a", "start": 0, "seconds": 2.5})
    with (tmp_path / "events.jsonl").open("a") as file:
        file.write(line + "\n")
    assert seconds_of(tmp_path, ["a"]) == {"a": 2.5}
