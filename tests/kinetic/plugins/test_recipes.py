"""Recipes of plugins: found where the packages lie, whatever other plugins ship."""

import pytest

from kinetic._plugins.recipes import shipped
from kinetic.errors import UnknownNameError


def test_every_recipe_in_the_package_of_an_entry_point_is_found_and_nothing_is_imported(ship):
    site = ship("acme-late")
    recipes = shipped()
    assert recipes["late"] == site / "acme_late" / "recipes" / "late.toml"
    assert recipes.find("acme_late:late") == recipes.find("late") == recipes["late"]
    assert recipes.find("kinetic_digits:goldilocks") == recipes["goldilocks"]
    assert recipes.of("acme_late") == {"late": recipes["late"]}
    assert not [*recipes.notes("acme_late")]
    assert recipes.find("later") is None


def test_a_recipe_of_kinetics_name_is_said_with_its_plugin_and_kinetics_stays(ship):
    before = shipped()["goldilocks"]
    site = ship("aardvark", recipe="goldilocks")
    recipes = shipped()
    assert recipes.find("goldilocks") == recipes["goldilocks"] == before
    path = site / "aardvark" / "recipes" / "goldilocks.toml"
    assert recipes.find("aardvark:goldilocks") == recipes["aardvark:goldilocks"] == path
    assert recipes.of("aardvark") == {"aardvark:goldilocks": path}
    note = "kinetic_digits ships a recipe named 'goldilocks' too: this one is aardvark:goldilocks"
    assert [*recipes.notes("aardvark")] == [note]
    assert not [*recipes.notes("kinetic_digits")]


def test_a_recipe_of_two_strangers_is_neithers_until_it_is_said_whose_and_all_others_are_there(ship):
    one, two = ship("acme-one"), ship("acme-two")
    recipes = shipped()
    assert "late" not in recipes
    assert "goldilocks" in recipes
    assert recipes["acme_one:late"] == one / "acme_one" / "recipes" / "late.toml"
    assert recipes["acme_two:late"] == two / "acme_two" / "recipes" / "late.toml"
    with pytest.raises(UnknownNameError, match="say which, as in acme_one:late"):
        recipes.find("late")
    assert len([*recipes.notes("acme_one"), *recipes.notes("acme_two")]) == 2


def test_the_recipes_of_a_plugin_that_is_not_in_use_are_left_out(ship, monkeypatch):
    site = ship("acme-one")
    assert "late" in shipped()
    monkeypatch.setenv("KINETIC_DISABLED_PLUGINS", "acme_one")
    assert "late" not in shipped()
    monkeypatch.delenv("KINETIC_DISABLED_PLUGINS")
    (site / "acme_one-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: acme-one\nVersion: 1.0\nRequires-Dist: kinetic-flow>=9\n"
    )
    assert "late" not in shipped()
