import json

from kinetic._store.manifest import Manifest
from kinetic._store.planned import Planned, planned, recipe_name


def test_a_folder_is_to_hold_what_its_recipe_and_provenance_say_or_what_is_left_of_them(begun, rewrite):
    path = begun((0, 2))
    plan = Planned(("a", "b"), 5, 2)
    assert planned(Manifest.read(path)) == plan
    assert plan.spans == [(0, 2), (2, 4), (4, 5)]
    (path / "provenance.json").unlink()
    assert planned(Manifest.read(path)) == plan
    (path / "recipe.toml").write_text("[rubbish")
    lost = planned(Manifest.read(path))
    assert lost == Planned(("a", "b"), 0, 0)
    assert lost.spans == []
    rewrite(path, "provenance.json", {"runs": {"b": {}}, "run": {"samples": 5, "batch": 2}})
    assert planned(Manifest.read(path)) == Planned(("b",), 5, 2)
    assert json.loads((path / "provenance.json").read_text())["run"]["batch"] == 2


def test_the_recipe_in_a_run_folder_is_called_as_the_run_was(begun, tmp_path):
    assert recipe_name(begun() / "recipe.toml") == "study"
    assert recipe_name(tmp_path / "recipe.toml") == "recipe"
    assert recipe_name(tmp_path / "other.toml") == "other"
