"""A run in memory says of itself what its folder would say."""

import pytest

from kinetic import load_recipe
from kinetic._experiment.one_run import OneRun

RECIPE = """
    [run]
    samples = 20
    classes = 10
    [field]
    name = "digits"
    [solver]
    name = "euler"
    steps = 2
    [energy.kpe]
    [metrics.copies]
    name = "memorisation"
    train = { name = "digits", size = 40 }
    [arms.only]
"""


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("one")
    (folder / "small.toml").write_text(RECIPE)
    recipe = load_recipe(folder / "small.toml")
    return OneRun(recipe.runners["only"].run(20, classes=10)), recipe.run(folder / "out", device="cpu")


def test_columns_and_correlations_are_those_of_the_folder(both):
    one, finished = both
    assert one.evidence["columns"] == finished.evidence["columns"]
    (mine,), (its,) = one.evidence["correlations"].values(), finished.evidence["correlations"].values()
    assert [(row["energy"], row["score"], row["n"]) for row in mine] == [
        (row["energy"], row["score"], row["n"]) for row in its
    ]
    for one_row, its_row in zip(mine, its, strict=True):
        assert (one_row["raw"] or {}).get("value") == pytest.approx((its_row["raw"] or {}).get("value"))


def test_its_one_arm_has_the_rows_and_samples_of_the_run(both):
    one, finished = both
    (arm,) = one.drawn
    assert one.rows(arm).column_names == [name for name in finished.rows("only").column_names if name != "arm"]
    assert bool((one.stored(arm) == finished.samples("only")).all())
    assert one.neighbours(arm) is None
    assert not one.shaped(arm)
