import contextlib
import errno
import json
import os

import pyarrow as pa
import pytest
import torch

from kinetic import load_run
from kinetic._sample.shard import Shard
from kinetic._store.origin import Change
from kinetic._store.run_folder import RunFolder
from kinetic.errors import StoreError

MADE = {"a": {"field": "12"}, "[run]": {"torch": "2.4", "device": "cpu"}}


def opened(path, recipe=None, made=None, **more):
    recipe = {"run": {"samples": 3}} if recipe is None else recipe
    return RunFolder.open(path, recipe, MADE if made is None else made, **more)


def begun(path, *spans, made=None, recipe=None):
    """A folder with finished shards of arm a."""
    with opened(path, recipe, made, batch=2) as folder:
        folder.save_json("provenance.json", {"made_by": MADE if made is None else made})
        for start, stop in spans or [(0, 2)]:
            x = torch.full((stop - start, 2), float(start))
            folder.store("a").save(Shard(start, x, x, {"nfe": torch.ones(stop - start)}))


def test_a_folder_takes_one_recipe_and_says_all_that_differs(tmp_path):
    begun(tmp_path)
    with opened(tmp_path):
        pass
    said = (
        r"holds another run:\n  run\.samples is 3 there and 4 here\n  title is missing there and 'x' here\n  Choose "
        "another folder with --out, or delete it"
    )
    with pytest.raises(StoreError, match=said), opened(tmp_path, {"run": {"samples": 4}, "title": "x"}):
        pass


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({**MADE, "a": {"field": "13"}}, r"other weights or data:\n  a\.field is '12' there and '13' here\n  Choose"),
        ({**MADE, "a": {"field": "12", "code of X": "1"}}, r"other code:\n  a\.code of X is missing there and '1'"),
        (
            {**MADE, "[run]": {"torch": "2.5", "device": "cpu"}},
            r"other packages or device:\n  \[run\]\.torch is '2\.4'",
        ),
    ],
)
def test_samples_of_another_origin_are_not_gone_on_with_with_or_without_provenance(tmp_path, made, said):
    begun(tmp_path)
    with pytest.raises(StoreError, match=said), opened(tmp_path, made=made):
        pass
    (tmp_path / "provenance.json").unlink()
    said = r"holds samples that something else made: .*\n  provenance\.json, .* is not there or not what was written"
    with pytest.raises(StoreError, match=said), opened(tmp_path, made=made):
        pass
    with opened(tmp_path):
        pass


def test_without_finished_samples_anything_may_change(tmp_path):
    with opened(tmp_path, batch=2) as folder:
        folder.save_json("provenance.json", {"made_by": MADE})
    with opened(tmp_path, {"run": {"samples": 9, "batch": 5}}, {"b": {}}) as folder:
        assert folder.batch == 5
        assert folder.is_new
    assert "samples = 9" in (tmp_path / "recipe.toml").read_text()


def test_while_another_writer_is_at_work_its_recipe_block_and_origin_are_those_of_all(tmp_path):
    with opened(tmp_path, batch=2, writer="part-1-of-2", origin={"made_by": MADE}):
        with opened(tmp_path, batch=5, writer="part-2-of-2", origin={"made_by": MADE}) as folder:
            assert folder.batch == 2
        for recipe, made, said in (
            ({"run": {"samples": 9}}, MADE, r"run\.samples is 3 there and 9"),
            (None, {}, "made with other"),
        ):
            with pytest.raises(StoreError, match=said), opened(tmp_path, recipe, made, writer="part-2-of-2"):
                pass
    with opened(tmp_path, {"run": {"samples": 9}}, {}, batch=5, writer="part-2-of-2") as folder:
        assert folder.batch == 5


def test_the_block_is_that_with_which_the_run_began(tmp_path):
    begun(tmp_path)
    with opened(tmp_path, batch=50) as folder:
        assert folder.batch == 2
    fifty = opened(tmp_path, {"run": {"samples": 3, "batch": 50}})
    with pytest.raises(StoreError, match=r"run\.batch is 2 there and 50 here"), fifty:
        pass


def test_a_run_is_extended_only_where_that_is_asked_for_and_is_finished_no_more(tmp_path):
    begun(tmp_path)
    with opened(tmp_path) as folder:
        folder.save_json("evidence.json", {})
    more = {"run": {"samples": 8}}
    with pytest.raises(StoreError, match=r"\n  `--extend 8` adds samples to it\. Choose"), opened(tmp_path, more):
        pass
    assert load_run(tmp_path)
    with opened(tmp_path, more, change=Change.SAMPLES) as folder:
        assert folder.store("a").load(0, 2) is not None
        assert folder.batch == 2
    with pytest.raises(StoreError, match="is not finished"):
        load_run(tmp_path)
    fewer = r"holds 8 samples of each arm, which no run of 3 can be\n  Give at least 8 with --extend\. Choose"
    with pytest.raises(StoreError, match=fewer), opened(tmp_path, change=Change.SAMPLES):
        pass


def test_other_blocks_take_the_place_of_those_there_were(tmp_path):
    begun(tmp_path)
    with opened(tmp_path) as folder:
        folder.set_batch(1)
        assert folder.store("a").load(0, 2) is None
    assert not list((tmp_path / "shards" / "a").iterdir())
    assert "batch = 1" in (tmp_path / "recipe.toml").read_text()


def test_a_folder_that_is_none_or_holds_something_else_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for path in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(StoreError, match="exists but holds no run\n  Choose another folder"), opened(path):
            pass
    below = opened(tmp_path / "notes.txt" / "run")
    with pytest.raises(StoreError, match=r"cannot be written to: Not a directory\n  Choose another folder"), below:
        pass
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("left", [[], [".lock"], [".recipe.toml.abc.part"], ["manifest.jsonl", "events.jsonl"]])
def test_what_a_crash_in_the_first_write_leaves_is_taken_for_a_new_folder(tmp_path, left):
    for name in left:
        (tmp_path / name).write_text("")
    with opened(tmp_path):
        assert not list(tmp_path.glob(".*.part"))
    assert (tmp_path / "recipe.toml").exists()


@pytest.mark.parametrize("lost", ["recipe.toml", "provenance.json"])
def test_finished_samples_are_kept_where_a_file_beside_them_was_lost(tmp_path, lost):
    begun(tmp_path)
    (tmp_path / lost).unlink()
    with opened(tmp_path, batch=2) as folder:
        assert folder.store("a").load(0, 2) is not None
    assert (tmp_path / "recipe.toml").exists()


def test_a_folder_that_may_only_be_read_is_refused_and_its_finished_run_pointed_to(tmp_path, monkeypatch):
    path = tmp_path / "run"
    with opened(path) as folder:
        folder.save_json("evidence.json", {})
    monkeypatch.setattr("tempfile.TemporaryFile", closed)
    way = rf"cannot be written to: Read-only file system\n  Choose .* --out\.\n  `kinetic report {path}` prints the"
    with pytest.raises(StoreError, match=way), opened(path):
        pass
    way = r"cannot be written to: Read-only file system\n  Choose .* --out\.$"
    with pytest.raises(StoreError, match=way), opened(tmp_path / "new"):
        pass
    assert not (tmp_path / "new").exists()


def closed(**options):
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def test_a_folder_that_may_not_be_listed_is_not_taken_for_an_empty_one(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("os.listdir", refuse)
    with pytest.raises(StoreError, match="cannot be listed: Permission denied"):
        load_run(tmp_path)
    with pytest.raises(StoreError, match="cannot be listed: Permission denied"), opened(tmp_path):
        pass


def test_the_table_has_the_columns_of_all_arms_and_null_where_one_has_none(tmp_path):
    tables = [pa.table({"arm": ["a"], "x": [1.0]}), pa.table({"arm": ["b"], "y": [2]})]
    with opened(tmp_path) as folder:
        folder.save_table(lambda: tables, pa.unify_schemas([table.schema for table in tables]))
        for name, text in (("scores.json", {"a": {}, "b": {}}), ("evidence.json", {})):
            folder.save_json(name, text)
    run = load_run(tmp_path)
    assert run.table.to_pydict() == {"arm": ["a", "b"], "x": [1.0, None], "y": [None, 2]}
    assert run.rows("b").to_pylist() == [{"arm": "b", "x": None, "y": 2}]


def test_what_happens_is_recorded_with_its_time(tmp_path):
    begun(tmp_path, (0, 2), (2, 3))
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [(event["event"], event["arm"], event["start"], event["stop"]) for event in events] == [
        ("shard", "a", 0, 2),
        ("shard", "a", 2, 3),
    ]
    assert all("T" in event["time"] for event in events)


def test_one_process_writes_at_a_time(tmp_path):
    said = "is being written to by another process"
    with opened(tmp_path), pytest.raises(StoreError, match=said), opened(tmp_path):
        pass
    with contextlib.suppress(RuntimeError), opened(tmp_path):
        raise RuntimeError
    with opened(tmp_path):
        pass
