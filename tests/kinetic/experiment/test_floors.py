"""Noise floors of a whole run."""

import pytest

from kinetic import load_recipe
from kinetic._evaluate import noise_floor
from kinetic.errors import OptionError

RECIPE = """
    [run]
    samples = 60
    [data]
    name = "digits"
    size = 100
    [field]
    name = "digits"
    [solver]
    name = "euler"
    steps = 3
    [energy.kpe]
    [metrics.knn-support]
    [metrics.vendi]
    [arms.plain]
    [arms.kts.schedule]
    name = "kts"
"""


def test_every_score_has_its_floor_once_for_all_arms_that_share_the_metric(recipe, tmp_path, monkeypatch):
    splits, score = [], noise_floor._score
    monkeypatch.setattr(noise_floor, "_score", lambda *args: splits.append(1) or score(*args))
    run = load_recipe(recipe(RECIPE), ["evidence.splits=4"]).run(tmp_path / "out", "cpu")
    assert len(splits) == 2 * (4 + 2)  # two metrics; four splits, and the samples of two arms
    rows = {(row["arm"], row["metric"], row["name"]): row for row in run.evidence["noise_floor"]}
    assert [*rows] == [
        (arm, *score) for arm in ("plain", "kts") for score in (("knn-support", "support"), ("vendi", "vendi"))
    ]
    row = rows["plain", "knn-support", "support"]
    assert (row["n"], row["m"], row["splits"]) == (50, 50, 4)
    assert row["real"]["low"] < row["real"]["value"] < row["real"]["high"]
    assert row["real"] == rows["kts", "knn-support", "support"]["real"]
    assert row["value"] != rows["kts", "knn-support", "support"]["value"]
    assert "Real against real" in (tmp_path / "out" / "report.html").read_text()


def test_a_recipe_says_how_often_data_are_split_or_not_at_all(recipe, tmp_path):
    run = load_recipe(recipe(RECIPE), ["evidence.splits=0"]).run(tmp_path / "out", "cpu")
    assert run.evidence["noise_floor"] == []
    assert load_recipe(recipe(RECIPE)).splits == noise_floor.SPLITS
    with pytest.raises(OptionError, match=r"\[evidence\] 'splits' must be an int >= 0"):
        load_recipe(recipe(RECIPE), ["evidence.splits=-1"])
