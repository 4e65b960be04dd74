"""Files of recipes, read without torch; what is wrong with their text is tested beside `load_recipe`."""

import subprocess
import sys

import pytest

from kinetic._experiment.recipe_file import read_bytes, read_recipe
from kinetic.errors import MissingFileError, RecipeError


def test_a_recipe_is_read_as_it_is_unchecked(recipe):
    path = recipe("\ufefftitle = 'x'\n[nothing]\nlike = 'it'\n")
    assert read_recipe(path) == {"title": "x", "nothing": {"like": "it"}}
    assert read_bytes(path) == path.read_bytes()


def test_what_is_no_file_or_no_toml_is_an_error_of_kinetic(recipe, tmp_path):
    with pytest.raises(RecipeError, match="is not valid TOML"):
        read_recipe(recipe("[run"))
    with pytest.raises((RecipeError, MissingFileError), match=str(tmp_path)):
        read_recipe(tmp_path)


def test_reading_one_needs_no_torch():
    code = "import sys, kinetic._experiment.recipe_file; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
