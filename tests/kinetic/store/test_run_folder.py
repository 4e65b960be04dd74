import errno
import os

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from kinetic import load_run
from kinetic._sample.run import Shard
from kinetic._store.run_folder import FinishedRun, RunFolder, ShardStore
from kinetic.errors import KineticError, StoreError


def part(start=0, n=3, noisy=False):
    x = torch.randn(n, 2)
    energy = {"kpe": torch.rand(n, dtype=torch.float64), "power": torch.rand(n, 4, dtype=torch.float64)}
    return Shard(start, x, x + 1 if noisy else x, energy)


@pytest.mark.parametrize("noisy", [False, True])
def test_a_part_comes_back_to_the_bit(tmp_path, noisy):
    store, saved = ShardStore(tmp_path), part(6, noisy=noisy)
    store.save(saved)
    assert store.shards() == [(6, 9)]
    loaded = store.load(6, 9)
    assert torch.equal(loaded.samples, saved.samples)
    assert torch.equal(loaded.denoised, saved.denoised)
    assert all(torch.equal(loaded.energy[name], saved.energy[name]) for name in saved.energy)


def test_what_was_not_written_whole_is_no_part(tmp_path):
    store = ShardStore(tmp_path)
    store.save(part())
    (tmp_path / ".00000003-00000006.safetensors.12.part").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("mine")
    assert store.shards() == [(0, 3)]


def test_a_part_that_cannot_be_read_is_named_with_the_way_on(tmp_path):
    store = ShardStore(tmp_path)
    store.save(part())
    (tmp_path / "00000000-00000003.safetensors").write_bytes(b"rubbish")
    with pytest.raises(StoreError, match=r"00000000-00000003\.safetensors cannot be read.*\n  Delete it"):
        store.load(0, 3)


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"holds no run: there is no recipe\.toml in it"):
        load_run(tmp_path)


def test_columns_come_back_in_their_order(tmp_path):
    store = ShardStore(tmp_path)
    x = torch.randn(2, 2)
    store.save(Shard(0, x, x, {"kpe": torch.ones(2), "bending": torch.ones(2), "early": torch.ones(2)}))
    assert list(store.load(0, 2).energy) == ["kpe", "bending", "early"]


@pytest.mark.parametrize(
    "tensors", [{"other": torch.zeros(3, 2)}, {"samples": torch.zeros(2, 2)}, {"samples": torch.zeros(())}]
)
def test_a_part_that_holds_something_else_is_named(tmp_path, tensors):
    save_file(tensors, tmp_path / "00000000-00000003.safetensors")
    with pytest.raises(StoreError, match=r"it does not hold samples 0 to 2\n  Delete it"):
        ShardStore(tmp_path).load(0, 3)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("recipe.toml", lambda run: run.recipe),
        ("provenance.json", lambda run: run.provenance),
        ("samples.parquet", lambda run: run.table),
        ("scores.json", lambda run: run.scores),
        ("evidence.json", lambda run: run.evidence),
    ],
)
def test_a_file_of_a_run_that_cannot_be_read_is_named(tmp_path, name, read):
    (tmp_path / "recipe.toml").write_text("")
    (tmp_path / "evidence.json").write_text("{}")
    (tmp_path / name).write_text("[rubbish")
    with pytest.raises(StoreError, match=f"{name} cannot be read: "):
        read(load_run(tmp_path))


def test_a_run_that_was_not_finished_says_how_to_go_on(tmp_path):
    (tmp_path / "recipe.toml").write_text("")
    with pytest.raises(StoreError, match=r"is not finished\n  `kinetic run .*recipe\.toml --out .*` goes on with it"):
        load_run(tmp_path)


def test_a_folder_takes_one_recipe_with_one_set_of_weights(tmp_path):
    folder = RunFolder.open(tmp_path / "run", {"run": {"samples": 3}}, {"a": {"field": "12"}})
    folder.save_json("provenance.json", {"weights": {"a": {"field": "12"}}, "owners": {}})
    RunFolder.open(tmp_path / "run", {"run": {"samples": 3}}, {"a": {"field": "12"}})
    with pytest.raises(StoreError, match=r"holds another run: run\.samples is 3 there and 4 here\n  Choose another"):
        RunFolder.open(tmp_path / "run", {"run": {"samples": 4}}, {"a": {"field": "12"}})
    with pytest.raises(StoreError, match=r"other weights or data: a\.field is '12' there and '13' here\n  Choose"):
        RunFolder.open(tmp_path / "run", {"run": {"samples": 3}}, {"a": {"field": "13"}})


def test_what_an_older_kinetic_wrote_is_named_as_such(tmp_path):
    folder = RunFolder.open(tmp_path / "run", {}, {"a": {"field": "12"}})
    folder.save_json("provenance.json", {"weights": {"a": {"field": "12"}}})
    with pytest.raises(StoreError, match=r"made by an older kinetic, .*cannot be compared\n  Choose another folder"):
        RunFolder.open(tmp_path / "run", {}, {"a": {"field": "13"}})
    (tmp_path / "run" / "evidence.json").write_text('{"differences": []}')
    with pytest.raises(StoreError, match=r"evidence\.json was written by an older kinetic\n  .*--out"):
        _ = load_run(tmp_path / "run").evidence


def test_a_folder_that_is_none_or_holds_something_else_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for place in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(StoreError, match="exists but holds no run\n  Choose another folder"):
            RunFolder.open(place, {}, {})
    with pytest.raises(StoreError, match=r"cannot be written to: Not a directory\n  Choose another folder"):
        RunFolder.open(tmp_path / "notes.txt" / "run", {}, {})
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_folder_that_may_only_be_read_is_refused_and_its_finished_run_pointed_to(tmp_path, monkeypatch):
    path = tmp_path / "run"
    RunFolder.open(path, {"a": 1}, {}).save_json("evidence.json", {})
    monkeypatch.setattr("tempfile.TemporaryFile", closed)
    way = rf"cannot be written to: Read-only file system\n  Choose .* --out\.\n  `kinetic report {path}` prints the"
    with pytest.raises(StoreError, match=way):
        RunFolder.open(path, {"a": 1}, {})
    with pytest.raises(StoreError, match=r"cannot be written to: Read-only file system\n  Choose .* --out\.$"):
        RunFolder.open(tmp_path / "new", {"a": 1}, {})
    assert not (tmp_path / "new").exists()


def closed(**options):
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def test_a_folder_that_may_not_be_listed_is_not_taken_for_an_empty_one(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("os.listdir", refuse)
    for look in (ShardStore(tmp_path).shards, lambda: load_run(tmp_path), lambda: RunFolder.open(tmp_path, {}, {})):
        with pytest.raises(StoreError, match="cannot be listed: Permission denied"):
            look()


def test_a_finished_run_without_its_samples_or_with_broken_neighbours_says_so(tmp_path):
    (tmp_path / "neighbours").mkdir()
    (tmp_path / "neighbours" / "a.safetensors").write_bytes(b"rubbish")
    (tmp_path / "scores.json").write_text('{"a": {}}')
    run = FinishedRun(tmp_path)
    assert run.neighbours("b") is None
    with pytest.raises(StoreError, match=r"a\.safetensors cannot be read: "):
        run.neighbours("a")
    with pytest.raises(StoreError, match=r"shards/a holds no samples\n  The same `kinetic run` draws them again"):
        run.samples("a")


def test_samples_are_taken_by_id_in_the_order_asked_for_from_the_shards_that_hold_them(tmp_path):
    store, parts = RunFolder(tmp_path).store("a"), [part(0), part(3, 5), part(8)]
    for each in parts:
        store.save(each)
    (tmp_path / "scores.json").write_text('{"a": {}}')
    run, whole = FinishedRun(tmp_path), torch.cat([each.samples for each in parts])
    for ids in ([9, 0, 4, 4], np.array([10, 3]), torch.tensor([2])):
        assert torch.equal(run.take("a", ids), whole[torch.as_tensor(ids)])
    (tmp_path / "shards" / "a" / "00000003-00000008.safetensors").write_bytes(b"rubbish")
    assert torch.equal(run.take("a", [10, 1]), whole[[10, 1]])
    with pytest.raises(StoreError, match=r"00000003-00000008\.safetensors cannot be read"):
        run.take("a", [10, 5])


def test_a_sample_that_is_not_there_is_named_by_its_id(tmp_path):
    RunFolder(tmp_path).store("a").save(part())
    (tmp_path / "scores.json").write_text('{"a": {}}')
    for ids, absent in (([0, 3], 3), ([-1], -1)):
        with pytest.raises(StoreError, match=rf"shards/a holds no sample {absent}\n  The same `kinetic run` draws"):
            FinishedRun(tmp_path).take("a", ids)
    with pytest.raises(KineticError, match="no arm is named 'b'"):
        FinishedRun(tmp_path).take("b", [0])
