import pytest
import torch

from kinetic._sample.shard import Shard
from kinetic._store.manifest import Manifest
from kinetic._store.shard_files import ShardFiles
from kinetic.errors import StoreError

NAME = "shards/a/00000006-00000009.safetensors"


def part(start=6, n=3, noisy=False):
    x = torch.randn(n, 2)
    energy = {"kpe": torch.rand(n, dtype=torch.float64), "power": torch.rand(n, 4, dtype=torch.float64)}
    return Shard(start, x, x + 1 if noisy else x, energy)


def store(folder, made="made"):
    return ShardFiles(Manifest.read(folder), "a", made)


@pytest.mark.parametrize("noisy", [False, True])
def test_a_shard_comes_back_to_the_bit_and_in_the_order_of_its_columns(tmp_path, noisy):
    saved = part(noisy=noisy)
    store(tmp_path).save(saved)
    loaded = store(tmp_path).load(6, 9)
    assert torch.equal(loaded.samples, saved.samples)
    assert torch.equal(loaded.denoised, saved.denoised)
    assert (loaded.denoised is loaded.samples) is not noisy
    assert list(loaded.energy) == ["kpe", "power"]
    assert all(torch.equal(loaded.energy[name], saved.energy[name]) for name in saved.energy)


def test_there_is_no_shard_of_other_samples_or_of_something_else_that_made_it(tmp_path):
    store(tmp_path).save(part())
    assert store(tmp_path).load(6, 8) is None
    assert store(tmp_path).load(0, 9) is None
    assert store(tmp_path, "other").load(6, 9) is None
    assert ShardFiles(Manifest.read(tmp_path), "b", "made").load(6, 9) is None


def damage(path, how):
    data = bytearray(path.read_bytes())
    if how == "flipped":
        data[-1] ^= 1
    elif how == "zeros":
        data[-48:] = bytes(48)
    elif how == "shorter":
        del data[-8:]
    elif how == "rubbish":
        data = b"rubbish"
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("how", ["flipped", "zeros", "shorter", "rubbish"])
def test_a_damaged_shard_is_none_to_a_run_and_an_error_to_a_reader(tmp_path, how):
    again = []
    store(tmp_path).save(part())
    damage(tmp_path / NAME, how)
    assert store(tmp_path).load(6, 9) is None
    with pytest.raises(StoreError, match=r"00000006-00000009\.safetensors is not what was written.*\n  The same"):
        store(tmp_path).read(6, 9)
    attentive = ShardFiles(Manifest.read(tmp_path), "a", "made", lambda arm, shard, twice: again.append((arm, twice)))
    attentive.save(part())
    assert again == [("a", True)]
    assert store(tmp_path).load(6, 9) is not None


def test_a_shard_in_the_name_of_another_is_none(tmp_path):
    files = store(tmp_path)
    files.save(part())
    files.save(part(start=9))
    (tmp_path / NAME).write_bytes((tmp_path / "shards/a/00000009-00000012.safetensors").read_bytes())
    assert store(tmp_path).load(6, 9) is None


def test_a_shard_is_whole_where_it_is_the_one_that_was_written_by_the_same(tmp_path):
    store(tmp_path).save(part())
    assert store(tmp_path).is_whole(6, 9)
    assert not store(tmp_path).is_whole(0, 3)
    assert not store(tmp_path, "other").is_whole(6, 9)
    (tmp_path / NAME).write_bytes(b"")
    assert not store(tmp_path).is_whole(6, 9)
