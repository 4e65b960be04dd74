import pytest
import torch

from kinetic import load_run
from kinetic._run import Part
from kinetic._store import ArmShelf, write_json, write_whole
from kinetic.errors import StoreError


def part(start=0, n=3, noisy=False):
    x = torch.randn(n, 2)
    energy = {"kpe": torch.rand(n, dtype=torch.float64), "power": torch.rand(n, 4, dtype=torch.float64)}
    return Part(start, x, x + 1 if noisy else x, energy)


@pytest.mark.parametrize("noisy", [False, True])
def test_a_part_comes_back_to_the_bit(tmp_path, noisy):
    shelf, saved = ArmShelf(tmp_path), part(6, noisy=noisy)
    shelf.save(saved)
    assert shelf.parts() == [(6, 9)]
    loaded = shelf.load(6, 9)
    assert torch.equal(loaded.samples, saved.samples)
    assert torch.equal(loaded.denoised, saved.denoised)
    assert all(torch.equal(loaded.energy[name], saved.energy[name]) for name in saved.energy)


def test_what_was_not_written_whole_is_no_part(tmp_path):
    shelf = ArmShelf(tmp_path)
    shelf.save(part())
    (tmp_path / ".00000003-00000006.safetensors.12.part").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("mine")
    assert shelf.parts() == [(0, 3)]


def test_a_part_that_cannot_be_read_is_named_with_the_way_on(tmp_path):
    shelf = ArmShelf(tmp_path)
    shelf.save(part())
    (tmp_path / "00000000-00000003.safetensors").write_bytes(b"rubbish")
    with pytest.raises(StoreError, match=r"00000000-00000003\.safetensors cannot be read.*\n  Delete it"):
        shelf.load(0, 3)


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
