"""The site: every page is in its navigation, every public name on the page of the API, the reference is the code's."""

import importlib.util
import re
from pathlib import Path

import kinetic

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
