"""Runs gone back to: samples added, metrics added, and what would be computed again."""

import json
import shutil

import pytest

from kinetic import load_recipe, load_run
from kinetic._experiment.arms import Arms
from kinetic._experiment.rescore import load_rescoring, rescore, why
from kinetic._sample import runner
from kinetic.errors import OptionError, RecipeError, StoreError, UnknownNameError

STUDY = """
    title = "study"
    [run]
    samples = 12
    batch = 5
    [data]
    name = "digits"
    size = 40
    [field]
    name = "digits"
    [solver]
    name = "euler"
    steps = 3
    [energy.kpe]
    [metrics.vendi]
    [arms.plain]
    [arms.kts.schedule]
    name = "kts"
"""
MORE = ["metrics.memorisation.threshold=0.5", "metrics.memorisation.features=digits"]


def path_of(folder):
    import textwrap

    (folder / "study.toml").write_text(textwrap.dedent(STUDY))
    return folder / "study.toml"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    return load_recipe(path_of(folder)).run(folder / "out", "cpu").folder


@pytest.fixture
def copy(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "copy")


def files(folder):
    """The bytes of all files that hold no times."""
    timed = ("events.jsonl", "manifest.jsonl", "provenance.json", "report.html", ".lock")
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name not in timed}


def test_a_run_with_more_samples_is_the_one_that_was_never_cut_short(copy, tmp_path):
    """12 samples in blocks of 5 end in one of 2, which 17 samples do not have."""
    kept = copy / "shards" / "plain" / "00000000-00000005.safetensors"
    before = kept.stat().st_mtime_ns
    load_recipe(path_of(tmp_path), ["run.samples=17"]).run(copy, "cpu", extend=True)
    whole = load_recipe(path_of(tmp_path), ["run.samples=17"]).run(tmp_path / "whole", "cpu")
    assert files(copy) == files(whole.folder)
    assert kept.stat().st_mtime_ns == before
    with pytest.raises(StoreError, match="holds 17 samples of each arm, which no run of 12 can be"):
        load_recipe(path_of(tmp_path)).run(copy, "cpu", extend=True)


def test_metrics_added_to_a_run_say_what_they_would_have_said_and_nothing_is_sampled(copy, tmp_path, monkeypatch):
    whole = load_recipe(path_of(tmp_path), MORE).run(tmp_path / "whole", "cpu")
    monkeypatch.setattr(runner, "integrate", sampled)
    run = rescore(copy, load_rescoring(copy, "memorisation", MORE), "cpu")
    assert set(run.scores["kts"]) == {"energy", "vendi", "memorisation"}
    assert files(copy) == files(whole.folder)
    assert run.provenance["recipe"] == "study"


def sampled(*given):
    raise AssertionError("samples were drawn")


def test_a_rescoring_that_was_cut_short_goes_on(copy, tmp_path, monkeypatch):
    whole = load_recipe(path_of(tmp_path), MORE).run(tmp_path / "whole", "cpu")

    def stop(*given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Arms, "controls", stop)
        with pytest.raises(KeyboardInterrupt):
            rescore(copy, load_rescoring(copy, "memorisation", MORE), "cpu")
    with pytest.raises(StoreError, match="is not finished"):
        load_run(copy)
    rescore(copy, load_rescoring(copy, "memorisation", MORE), "cpu")
    assert files(copy) == files(whole.folder)


def test_tables_of_a_file_take_the_place_of_old_ones_and_names_alone_keep_them(copy, tmp_path):
    (tmp_path / "m.toml").write_text("[metrics.vendi]\nfeatures = 'digits'\n[metrics.kid]\nsubsets = 3\n")
    tables = load_rescoring(copy, str(tmp_path / "m.toml"), ["metrics.kid.subset_size=4"]).content["metrics"]
    assert tables == {"vendi": {"features": "digits"}, "kid": {"subsets": 3, "subset_size": 4}}
    rescore(copy, load_rescoring(copy, "vendi", ["metrics.vendi.features=digits"]), "cpu")
    assert load_rescoring(copy, "vendi").content["metrics"] == {"vendi": {"features": "digits"}}


def test_only_metrics_are_changed(copy):
    with pytest.raises(RecipeError, match=r"changes metrics alone, .*: 'solver\.steps=9'\n"):
        load_rescoring(copy, "kid", ["solver.steps=9"])
    with pytest.raises(UnknownNameError, match="kidd"):
        load_rescoring(copy, "kidd")
    with pytest.raises(OptionError, match="metrics must be names"):
        load_rescoring(copy, ",")


def test_a_block_that_is_missing_or_damaged_is_named_and_nothing_is_changed(copy):
    (copy / "shards" / "kts" / "00000005-00000010.safetensors").unlink()
    before = files(copy)
    said = r"kts/00000005-00000010\.safetensors is missing or damaged\n  `kinetic run .* goes on with it"
    with pytest.raises(StoreError, match=said):
        rescore(copy, load_rescoring(copy, "memorisation", MORE), "cpu")
    assert files(copy) == before
    assert why(copy, device="cpu").damaged == {"kts": ((5, 10),)}
    load_recipe(copy / "recipe.toml").run(copy, "cpu")
    assert why(copy, device="cpu").damaged == {}


def test_a_recipe_that_is_not_what_was_written_is_not_scored(copy, tmp_path):
    (copy / "recipe.toml").write_text("[run]")
    with pytest.raises(StoreError, match=r"recipe\.toml is not what was written"):
        load_rescoring(copy, "kid")
    for go in (load_rescoring, why):
        with pytest.raises(StoreError, match=r"holds no run: there is no recipe\.toml"):
            go(tmp_path, "kid") if go is load_rescoring else go(tmp_path)


def test_what_would_be_computed_again_is_that_of_the_same_command(copy, tmp_path):
    assert why(copy, device="cpu").refused == ""
    assert why(copy, path_of(tmp_path), device="cpu").refused == ""
    other = why(copy, path_of(tmp_path), ["solver.steps=4"], device="cpu")
    assert other.recipe == ("solver.steps is 3 there and 4 here",)
    assert "holds another run" in other.refused
    assert all(line.split(" ")[0].endswith(".options") for line in other.origin)
    assert other.otherwise == dict.fromkeys(("plain", "kts"), ((0, 5), (5, 10), (10, 12)))


def test_a_block_that_is_drawn_again_is_said_and_recorded(copy, capsys):
    (copy / "shards" / "plain" / "00000000-00000005.safetensors").write_bytes(b"torn")
    load_recipe(copy / "recipe.toml").run(copy, "cpu")
    said = capsys.readouterr().err
    assert "plain: drawn again, since the files were damaged: samples 0 to 4" in said
    assert "kts: drawn again" not in said
    events = [json.loads(line) for line in (copy / "events.jsonl").read_text().splitlines()]
    again = [(event["arm"], event["start"], event["stop"]) for event in events if event["event"] == "drawn again"]
    assert again == [("plain", 0, 5)]


def test_a_run_goes_on_from_its_own_folder_under_its_own_name(copy):
    recipe = load_recipe(copy / "recipe.toml")
    assert recipe.name == "study"
    run = recipe.run(copy, "cpu")
    assert run.provenance["recipe"] == "study"


@pytest.mark.proof
def test_two_processes_write_the_same_files(copy, tmp_path):
    """Views, columns and scores have one order, whatever the seed of Python's hashes."""
    import os
    import subprocess
    import sys

    for seed in ("1", "2"):
        words = [sys.executable, "-m", "kinetic", "run", str(path_of(tmp_path)), "--device", "cpu"]
        environment = {**os.environ, "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"}
        subprocess.run([*words, "--out", str(tmp_path / seed)], env=environment, check=True, capture_output=True)
    assert files(tmp_path / "1") == files(tmp_path / "2")
