"""Several runs of every arm, end to end: seeds of noise and trainings of nets."""

import io
import json

import numpy as np
import pytest
import torch
from rich.console import Console

from kinetic import evidence, load_recipe
from kinetic._experiment.levels import Levels, check_trainings
from kinetic._report import print_brief, print_report
from kinetic.errors import OptionError, RecipeError, UnknownNameError

RECIPE = """
title = "levels"
[run]
samples = 40
seed = 5
classes = 10
{run}
[data]
name = "digits"
size = 128
[field]
name = "digits-small"
[solver]
name = "euler"
steps = 6
[energy.kpe]
[metrics.memorisation]
[metrics.class-margin]
logits = "digits-logits"
[arms.plain]
[arms.kts.schedule]
name = "kts"
beta = 0.03
{trainings}
"""
TRAININGS = "\n".join(f"[trainings.{name}.field]\ntraining = {k}" for k, name in enumerate("abc", 1))


def recipe(folder, run="", trainings=""):
    (folder / "levels.toml").write_text(RECIPE.format(run=run, trainings=trainings))
    return load_recipe(folder / "levels.toml")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    return recipe(folder, trainings=TRAININGS).run(folder / "out", device="cpu")


def difference(run, arm, against, metric, name, view="plain"):
    rows = run.evidence["differences"]
    keys = {"arm": arm, "against": against, "metric": metric, "name": name, "view": view}
    return next(row for row in rows if keys.items() <= row.items())


def test_every_arm_is_run_once_with_each_training_and_none_with_the_same_noise():
    levels = Levels({"a": {}, "b": {}}, 2, 7)
    assert levels.runs("kts") == {
        "kts.a.seed-7": ("a", 7),
        "kts.a.seed-8": ("a", 8),
        "kts.b.seed-9": ("b", 9),
        "kts.b.seed-10": ("b", 10),
    }
    assert levels.units("kts") == (("kts.a.seed-7", "kts.a.seed-8"), ("kts.b.seed-9", "kts.b.seed-10"))
    assert Levels({}, 3, 0).units("x") == (("x.seed-0",), ("x.seed-1",), ("x.seed-2",))
    assert Levels({}, 1, 4).runs("x") == {"x": ("", 4)}
    assert not Levels({}, 1, 4).of


def test_a_number_over_trainings_is_the_mean_of_the_runs_with_students_interval(trained):
    runs = ["plain.a", "plain.b", "plain.c"]
    means = [trained.scores[run]["energy"]["kpe"]["value"] for run in runs]
    over = trained.evidence["over_runs"]["scores"]["plain"]["energy"]["kpe"]
    half = 4.302652729911275 * np.std(means, ddof=1) / np.sqrt(3)  # t of 2 degrees of freedom
    assert over["of"] == means
    assert (over["value"], over["low"], over["high"]) == pytest.approx(
        (np.mean(means), np.mean(means) - half, np.mean(means) + half), rel=1e-9
    )


def test_a_difference_over_trainings_is_that_of_the_runs_paired_training_by_training(trained):
    each = [difference(trained, f"kts.{k}", f"plain.{k}", "energy", "kpe")["value"] for k in "abc"]
    over = difference(trained, "kts", "plain", "energy", "kpe")
    expected = evidence.over_runs(each).to_json()
    assert {key: over[key] for key in expected} == pytest.approx(expected)
    kts, plain = (trained.rows(f"{arm}.b")["kpe"].to_numpy() for arm in ("kts", "plain"))
    assert each[1] == pytest.approx((kts - plain).mean())


def test_verdicts_over_trainings_count_trainings(trained):
    words = {(row["arm"], row["name"]): row for row in trained.evidence["verdicts"]}
    assert ("kts", "memorised") in words
    said = [row["because"] for (arm, _), row in words.items() if arm == "kts" and row["because"]]
    assert said
    assert all("trainings would" in because or "interval" in because for because in said)


def test_correlations_are_averaged_over_the_runs(trained):
    rows = trained.evidence["over_runs"]["correlations"]["plain"]
    keys = ("energy", "metric", "score", "view")
    row = next(row for row in rows if row["shown"])
    own = [
        next(r for r in trained.evidence["correlations"][run] if all(r[k] == row[k] for k in keys))["raw"]["value"]
        for run in ("plain.a", "plain.b", "plain.c")
    ]
    assert row["raw"]["value"] == pytest.approx(np.mean(own))


def test_runs_of_an_arm_have_other_noise_and_arms_have_it_in_common(trained):
    x0 = {run: trained.rows(run)["x0_sq"].to_numpy() for run in trained.arms}
    assert np.array_equal(x0["plain.a"], x0["kts.a"])
    assert not np.isclose(x0["plain.a"], x0["plain.b"]).any()
    assert trained.provenance["runs"]["kts.c"] == {"arm": "kts", "training": "c", "seed": 7}


def test_report_and_terminal_speak_of_trainings(trained):
    page = (trained.folder / "report.html").read_text()
    assert "Energy, over 3 trainings" in page
    assert "6 runs of 2 arms" in page
    assert "seeds 5 to 7" in page
    assert evidence.ONE_TRAINING.capitalize() not in page
    for write in (print_report, print_brief):
        console = Console(width=160, record=True, file=io.StringIO())
        write(trained, console)
        said = console.export_text()
        assert "over 3 trainings" in said
        assert "kts against plain" in said or write is print_report
        assert "kts.b against" not in said


def test_with_one_training_of_a_net_the_report_says_so_and_of_a_closed_form_it_does_not(tmp_path):
    one = recipe(tmp_path, run="seeds = 2", trainings="[arms.closed]\nfield = 'empirical'").run(tmp_path / "out", "cpu")
    assert one.evidence["one_training"] == ["plain", "kts"]
    assert one.evidence["over_runs"]["of"] == "seeds"
    assert one.arms == ["plain.seed-5", "plain.seed-6", "kts.seed-5", "kts.seed-6", "closed.seed-5", "closed.seed-6"]
    assert "One training: holds for this net only." in (one.folder / "report.html").read_text()
    console = Console(width=160, record=True, file=io.StringIO())
    print_brief(one, console)
    assert f"plain, kts: {evidence.ONE_TRAINING}" in console.export_text()
    # the first seed is the run that a recipe without seeds makes
    single = recipe(tmp_path).run(tmp_path / "single", "cpu")
    assert torch.equal(single.samples("plain"), one.samples("plain.seed-5"))
    assert json.loads((single.folder / "evidence.json").read_text())["over_runs"] == {}


@pytest.mark.parametrize(
    ("trainings", "error", "message"),
    [
        ("[trainings.a.field]\ntraining = 1", RecipeError, r"\[trainings\] holds 'a' alone"),
        ("[trainings.'a.b'.field]\ntraining = 1", RecipeError, "a training is named in letters"),
        ("[trainings.a]\nseed = 1\n[trainings.b]", UnknownNameError, "training 'a' has no key 'seed'"),
        ("[trainings]\na = 3\nb = 4", RecipeError, "training 'a' must be a table"),
        ("[trainings.a.field]\ntraining = 1\n[trainings.b.field]\ntraining = 7", OptionError, r"arm 'plain\.b'.*"),
    ],
)
def test_bad_trainings_are_errors_before_work(tmp_path, trainings, error, message):
    with pytest.raises(error, match=message):
        recipe(tmp_path, trainings=trainings)


@pytest.mark.parametrize("seeds", ["0", "1.5", "true", "'3'"])
def test_seeds_are_counted_from_one(tmp_path, seeds):
    with pytest.raises(OptionError, match="'seeds'"):
        recipe(tmp_path, run=f"seeds = {seeds}")


def test_one_training_counted_twice_is_refused(tmp_path):
    twice = "[trainings.a.field]\ntraining = 1\n[trainings.b.field]\ntraining = 1"
    with pytest.raises(
        RecipeError, match=r"'plain\.a' and 'plain.b' are two trainings of one arm, but .* the same tensors"
    ):
        recipe(tmp_path, trainings=twice).run(tmp_path / "out", "cpu")
    assert not (tmp_path / "out").exists()
    with pytest.raises(RecipeError, match="no tensors"):
        check_trainings({"g": (("g.a",), ("g.b",))}, {})
