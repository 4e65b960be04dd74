import pytest
import torch
from safetensors.torch import save_file

from kinetic import load_run
from kinetic._sample.run import Shard
from kinetic._store.run_folder import RunFolder, ShardStore, write_json, write_whole
from kinetic.errors import StoreError


def part(start=0, n=3, noisy=False):
    x = torch.randn(n, 2)
    energy = {"kpe": torch.rand(n, dtype=torch.float64), "power": torch.rand(n, 4, dtype=torch.float64)}
    return Shard(start, x, x + 1 if noisy else x, energy)


@pytest.mark.parametrize("noisy", [False, True])
def test_a_part_comes_back_to_the_bit(tmp_path, noisy):
    store, saved = ShardStore(tmp_path), part(6, noisy=noisy)
    store.save(saved)
    assert store.parts() == [(6, 9)]
    loaded = store.load(6, 9)
    assert torch.equal(loaded.samples, saved.samples)
    assert torch.equal(loaded.denoised, saved.denoised)
    assert all(torch.equal(loaded.energy[name], saved.energy[name]) for name in saved.energy)


def test_what_was_not_written_whole_is_no_part(tmp_path):
    store = ShardStore(tmp_path)
    store.save(part())
    (tmp_path / ".00000003-00000006.safetensors.12.part").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("mine")
    assert store.parts() == [(0, 3)]


def test_a_part_that_cannot_be_read_is_named_with_the_way_on(tmp_path):
    store = ShardStore(tmp_path)
    store.save(part())
    (tmp_path / "00000000-00000003.safetensors").write_bytes(b"rubbish")
    with pytest.raises(StoreError, match=r"00000000-00000003\.safetensors cannot be read.*\n  Delete it"):
        store.load(0, 3)


def test_a_failed_write_leaves_the_old_file_and_no_trace(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"a": 1})

    def fail(unfinished):
        unfinished.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_whole(path, fail)
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"a": float("nan")})
    assert path.read_text() == '{\n "a": 1\n}\n'
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


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
    folder.save_json("provenance.json", {"weights": {"a": {"field": "12"}}})
    RunFolder.open(tmp_path / "run", {"run": {"samples": 3}}, {"a": {"field": "12"}})
    with pytest.raises(StoreError, match=r"holds another run: run\.samples is 3 there and 4 here\n  Choose another"):
        RunFolder.open(tmp_path / "run", {"run": {"samples": 4}}, {"a": {"field": "12"}})
    with pytest.raises(StoreError, match=r"other weights or data: a\.field is '12' there and '13' here\n  Choose"):
        RunFolder.open(tmp_path / "run", {"run": {"samples": 3}}, {"a": {"field": "13"}})


def test_a_folder_that_is_none_or_holds_something_else_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for place in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(StoreError, match="exists but holds no run\n  Choose another folder"):
            RunFolder.open(place, {}, {})
    with pytest.raises(StoreError, match=r"cannot be made: .*\n  Choose another folder"):
        RunFolder.open(tmp_path / "notes.txt" / "run", {}, {})
    assert (tmp_path / "notes.txt").read_text() == "mine"
