import pytest

from kinetic import load_run
from kinetic._store.finished_run import FinishedRun
from kinetic._store.manifest import Manifest
from kinetic.errors import StoreError


def put(folder, name, text):
    Manifest.read(folder).write(name, lambda part: part.write_text(text))


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"holds no run: there is no recipe\.toml in it"):
        load_run(tmp_path)


def test_a_run_that_was_not_finished_says_how_to_go_on(tmp_path):
    put(tmp_path, "recipe.toml", "")
    with pytest.raises(StoreError, match=r"is not finished\n  `kinetic run .*recipe\.toml --out .*` goes on with it"):
        load_run(tmp_path)


FILES = [
    ("recipe.toml", lambda run: run.recipe),
    ("provenance.json", lambda run: run.provenance),
    ("samples.parquet", lambda run: run.table),
    ("scores.json", lambda run: run.scores),
    ("evidence.json", lambda run: run.evidence),
]


@pytest.mark.parametrize(("name", "read"), FILES)
def test_a_file_of_a_run_that_is_not_what_was_written_is_named(tmp_path, name, read):
    for each in ("recipe.toml", "evidence.json", name):
        put(tmp_path, each, "")
    (tmp_path / name).write_text("[rubbish")
    with pytest.raises(StoreError, match=f"{name} is not what was written: "):
        read(load_run(tmp_path))


@pytest.mark.parametrize(("name", "read"), FILES)
def test_a_file_of_a_run_that_cannot_be_read_is_named(tmp_path, name, read):
    for each in ("recipe.toml", "evidence.json", name):
        put(tmp_path, each, "[rubbish")
    with pytest.raises(StoreError, match=f"{name} cannot be read: "):
        read(load_run(tmp_path))


def test_a_finished_run_without_its_samples_or_with_broken_neighbours_says_so(tmp_path):
    put(tmp_path, "neighbours/a.safetensors", "rubbish")
    put(tmp_path, "scores.json", '{"a": {}}')
    put(tmp_path, "recipe.toml", "[run]\nsamples = 3\nbatch = 2")
    run = FinishedRun(tmp_path)
    assert run.neighbours("b") is None
    with pytest.raises(StoreError, match=r"a\.safetensors cannot be read: "):
        run.neighbours("a")
    with pytest.raises(StoreError, match=r"00000000-00000002\.safetensors is not among the files.*\n  The same `kin"):
        run.samples("a")


def test_a_run_whose_recipe_was_lost_says_how_it_is_written_again(tmp_path):
    put(tmp_path, "evidence.json", "{}")
    with pytest.raises(
        StoreError, match=r"no recipe\.toml in it\n  The `kinetic run` that made it, with --out .*, writes"
    ):
        load_run(tmp_path)


def test_neighbours_that_nothing_lists_are_not_left_out_in_silence(tmp_path):
    for name in ("recipe.toml", "evidence.json"):
        put(tmp_path, name, "")
    (tmp_path / "neighbours").mkdir()
    (tmp_path / "neighbours" / "a.safetensors").write_bytes(b"")
    with pytest.raises(StoreError, match="is not among the files"):
        load_run(tmp_path).neighbours("a")
    assert load_run(tmp_path).neighbours("b") is None
