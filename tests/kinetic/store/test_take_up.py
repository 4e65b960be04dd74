import pytest

from kinetic._store.manifest import Manifest
from kinetic._store.origin import Change
from kinetic._store.run_folder import RunFolder
from kinetic._store.take_up import provenance_in, shards_in
from kinetic.errors import StoreError

MADE = {"a": {"field": "12"}, "b": {"field": "12"}, "[run]": {"torch": "2.4", "device": "cpu"}}


def opened(path, samples=5, change=Change.NOTHING, made=MADE, **run):
    return RunFolder.open(path, {"run": {"samples": samples, **run}}, made, batch=2, change=change)


def names(path):
    return {name.split("/", 1)[1] for name in shards_in(Manifest.read(path))}


def test_where_samples_are_added_the_last_block_is_taken_out_where_it_was_not_full(begun):
    path = begun((0, 2), (2, 4), (4, 5))
    with opened(path, 9, Change.SAMPLES):
        pass
    assert names(path) == {
        f"{arm}/{block}.safetensors" for arm in "ab" for block in ("00000000-00000002", "00000002-00000004")
    }
    assert {each.relative_to(path / "shards").as_posix() for each in path.rglob("0*.safetensors")} == names(path)


def test_a_refusal_leaves_a_finished_run_finished(begun):
    path = begun((0, 2), (2, 4), (4, 5))
    with opened(path) as folder:
        folder.save_json("evidence.json", {})
    before = (path / "manifest.jsonl").read_bytes()
    other = {**MADE, "a": {"field": "13"}}
    for more in ({"samples": 9, "change": Change.SAMPLES, "made": other}, {"change": Change.METRICS, "made": other}):
        with pytest.raises(StoreError, match="made with other weights or data"), opened(path, **more):
            pass
    assert (path / "manifest.jsonl").read_bytes() == before
    with opened(path) as folder:
        assert folder.is_finished


def test_only_whole_samples_of_the_same_origin_are_scored(begun):
    path = begun((0, 2), (2, 4), (4, 5))
    with opened(path, change=Change.METRICS):
        pass
    (path / "shards" / "a" / "00000002-00000004.safetensors").write_bytes(b"x")
    (path / "shards" / "b" / "00000004-00000005.safetensors").unlink()
    said = (
        r"a/00000002-00000004\.safetensors and 1 more are missing or damaged\n  `kinetic run .*recipe\.toml --out .*`"
    )
    with pytest.raises(StoreError, match=said), opened(path, change=Change.METRICS):
        pass


def test_a_folder_without_samples_is_not_scored(tmp_path):
    with pytest.raises(StoreError, match="holds no finished samples"), opened(tmp_path, change=Change.METRICS):
        pass


def test_a_recipe_that_was_lost_or_damaged_is_known_by_its_hash_and_the_block_by_the_provenance(begun, rewrite):
    path = begun((0, 2), batch=2)
    before = (path / "recipe.toml").read_bytes()
    (path / "recipe.toml").write_text("[rubbish")
    rewrite(path, "provenance.json", {"made_by": MADE, "run": {"samples": 5, "batch": 2}})
    with RunFolder.open(path, {"run": {"samples": 5}}, MADE, batch=500) as folder:
        assert folder.batch == 2
    assert (path / "recipe.toml").read_bytes() == before
    (path / "recipe.toml").write_text("[rubbish")
    with pytest.raises(StoreError, match=r"recipe\.toml cannot be read: .*\n  Delete it, and"), opened(path, seed=1):
        pass
    (path / "recipe.toml").unlink()
    with pytest.raises(StoreError, match=r"run\.samples is 5 there and 6 here"), opened(path, 6):
        pass
    assert names(path) == {"a/00000000-00000002.safetensors", "b/00000000-00000002.safetensors"}


def test_samples_that_nothing_lists_are_not_written_over_by_another_run(begun):
    path = begun((0, 2))
    (path / "manifest.jsonl").unlink()
    with (
        pytest.raises(StoreError, match=r"holds another run:\n  run\.seed is missing there and 1 here"),
        opened(path, seed=1),
    ):
        pass


def test_a_provenance_that_is_not_what_was_written_says_nothing(begun):
    path = begun((0, 2))
    assert provenance_in(Manifest.read(path))["recipe"] == "study"
    (path / "provenance.json").write_text("{}")
    assert provenance_in(Manifest.read(path)) == {}
