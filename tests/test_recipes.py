"""Every shipped recipe and every recipe in the docs loads and builds."""

import re
from pathlib import Path

import pytest

from kinetic import load_recipe
from kinetic._recipe import shipped

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", sorted(shipped()))
def test_a_shipped_recipe_builds(name):
    assert load_recipe(name).runners


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda path: path.name
)
def test_every_recipe_on_a_page_builds(page, tmp_path):
    blocks = re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL)
    for number, block in enumerate(block for block in blocks if "[run]" in block):
        path = tmp_path / f"page{number}.toml"
        path.write_text(block)
        assert load_recipe(path).runners
