"""The commands that go back to a run folder, as a user types them."""

import json

import pytest

from kinetic import load_recipe, load_run


@pytest.fixture
def kinetic(monkeypatch, capsys):
    """kinetic(*words): the exit status and what was printed to both streams."""
    from kinetic import _cli

    def call(*words):
        monkeypatch.setattr("sys.argv", ["kinetic", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            _cli.main()
        return ended.value.code, *capsys.readouterr()

    return call


@pytest.fixture
def study(recipe, tmp_path):
    path = recipe(
        "[run]\nsamples = 5\nbatch = 2\n[data]\nname = 'digits'\nsize = 30\n[field]\nname = 'digits'\n"
        "[solver]\nname = 'euler'\nsteps = 2\n[energy.kpe]\n[arms.a]\n[arms.b.schedule]\nname = 'kts'\n"
    )
    load_recipe(path).run(tmp_path / "out", "cpu")
    return path, tmp_path / "out"


def test_a_run_is_verified_asked_how_far_it_is_extended_and_scored_by_more_metrics(kinetic, study):
    path, out = study
    status, printed, _ = kinetic("verify", out)
    assert status == 0
    assert "listed files are what was written" in printed
    status, printed, _ = kinetic("status", out, "--json")
    assert status == 0
    assert [run["samples"] for run in json.loads(printed)["runs"]] == [5, 5]
    assert json.loads(printed)["state"] == "finished"
    assert kinetic("status", out)[1].startswith(f"{out}: finished, process")
    status, printed, _ = kinetic("why", out, "--device", "cpu")
    assert status == 0
    assert "no sample is drawn again" in printed
    assert kinetic("run", path, "--out", out, "--device", "cpu", "--extend", "7")[0] == 0
    assert len(load_run(out).table) == 14
    status, printed, _ = kinetic("rescore", out, "--metrics", "vendi", "--device", "cpu")
    assert status == 0
    assert "report:" in printed
    assert list(load_run(out).scores["a"]) == ["energy", "vendi"]


def test_damage_ends_verify_with_status_1_and_rescore_with_the_way_on(kinetic, study):
    path, out = study
    (out / "shards" / "a" / "00000000-00000002.safetensors").write_bytes(b"")
    status, printed, _ = kinetic("verify", out)
    assert status == 1
    assert "damaged: shards/a/00000000-00000002.safetensors" in printed
    assert "a: 1 of 3 blocks damaged: samples 0 to 1" in kinetic("why", out, path, "--device", "cpu")[1]
    status, _, error = kinetic("rescore", out, "--metrics", "vendi", "--device", "cpu")
    assert status == 2
    assert f"`kinetic run {out}/recipe.toml --out {out}` goes on with it." in error
    status, _, error = kinetic("run", out / "recipe.toml", "--out", out, "--device", "cpu")
    assert status == 0
    assert "a: drawn again, since the files were damaged: samples 0 to 1" in error
    assert kinetic("verify", out)[0] == 0


def test_another_recipe_is_held_against_the_folder(kinetic, study):
    path, out = study
    printed = kinetic("why", out, path, "--set", "solver.steps=3", "--device", "cpu")[1]
    assert "recipe: solver.steps is 2 there and 3 here" in printed
    assert "refused: " in printed


@pytest.mark.parametrize("command", ["verify", "why", "status", "rescore"])
def test_a_folder_without_a_run_is_an_error(kinetic, tmp_path, command):
    more = ("--metrics", "vendi") if command == "rescore" else ()
    status, _, error = kinetic(command, tmp_path, *more)
    assert status == 2
    assert "holds no run" in error


def test_an_interrupted_rescoring_says_that_it_can_go_on(kinetic, study, monkeypatch):
    def stop(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr("kinetic._experiment.arms.Arms.controls", stop)
    status, _, error = kinetic("rescore", study[1], "--metrics", "vendi", "--device", "cpu")
    assert status == 130
    assert "stopped; the samples are kept, and the same command scores them again" in error
