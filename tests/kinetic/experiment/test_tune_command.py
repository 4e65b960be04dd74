import json

import pytest

from kinetic import load_recipe, load_run
from kinetic._experiment.tune_command import tune_recipe
from kinetic.errors import RecipeError, UnknownNameError

RECIPE = """
[run]
samples = 30
classes = 10
[data]
name = "digits"
size = 256
[field]
name = "digits-memorised"
[solver]
name = "euler"
steps = 8
[metrics.memorisation]
[metrics.sharpness]
[tune]
fidelity = "memorisation.ratio"
copying = "memorisation.f_mem"
samples = 25
[tune.search]
"arms.kts.schedule.beta" = [0.0, 0.02]
[arms.plain]
[arms.kts]
schedule = { name = "kts", alpha = 0.0 }
"""


def test_a_search_leaves_two_runs_a_table_and_the_recipe_that_was_chosen(recipe, tmp_path):
    held = tune_recipe(str(recipe(RECIPE)), tmp_path / "out", "cpu")
    first, second = (load_run(tmp_path / "out" / name) for name in ("tuning", "held-out"))
    assert first.arms == ["plain", "kts-1", "kts-2"]
    assert (first.recipe["run"]["seed"], first.recipe["run"]["samples"]) == (1000, 25)
    assert second.arms == ["plain", "kts"]
    assert len(second.rows("kts")) == 30
    stored = json.loads((tmp_path / "out" / "tune.json").read_text())
    assert stored == {key: held[key] for key in stored}
    (best,) = [row for row in stored["candidates"] if row["chosen"]]
    beta = best["settings"]["arms.kts.schedule.beta"]
    assert second.recipe["arms"]["kts"]["schedule"]["beta"] == beta
    assert load_recipe(tmp_path / "out" / "chosen.toml").content["arms"] == second.recipe["arms"]
    difference = next(
        row["value"]
        for row in first.evidence["differences"]
        if (row["arm"], row["name"], row["view"]) == ("kts-1", "memorised", "plain")
    )
    assert stored["candidates"][0]["copying"]["plain"]["value"] == difference == 0.0
    assert {row["name"] for row in stored["held_out"]} == {"ratio", "memorised"}


def test_a_score_that_no_metric_gives_is_refused_before_anything_is_drawn(recipe, tmp_path):
    for wrong, said in (("memorisation.f_mom", "has no score 'f_mom'"), ("fid.fd", "no metric of the recipe is named")):
        path = recipe(RECIPE.replace('fidelity = "memorisation.ratio"', f'fidelity = "{wrong}"'))
        with pytest.raises(UnknownNameError, match=said):
            tune_recipe(str(path), tmp_path / "out", "cpu")
    path = recipe(RECIPE.replace('fidelity = "memorisation.ratio"', 'fidelity = "sharpness.sharpness"'))
    with pytest.raises(RecipeError, match="nothing says which way"):
        tune_recipe(str(path), tmp_path / "out", "cpu")
    assert not (tmp_path / "out").exists()
