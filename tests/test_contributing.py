"""What a contributor or a citing reader is told agrees with the project."""

import re
import tomllib
from configparser import ConfigParser
from pathlib import Path

import pytest

from kinetic import registry

yaml = pytest.importorskip("yaml")
ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PAGE = (ROOT / "docs" / "contributing.md").read_text()
TOX = ConfigParser(interpolation=None, strict=False)
TOX.read(ROOT / "tox.ini")


def test_the_citation_is_of_this_version_and_has_what_the_format_requires():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["version"] == PROJECT["version"]
    assert cited["license"] == PROJECT["license"]
    assert cited["cff-version"] == "1.2.0"
    assert cited["type"] == "software"
    assert cited["message"]
    assert cited["title"]
    assert [author["name"] for author in cited["authors"]] == ["The kinetic authors"]
    assert set(cited["keywords"]) == set(PROJECT["keywords"])
    allowed = {"cff-version", "message", "title", "abstract", "type", "version", "license", "authors", "keywords"}
    assert set(cited) == allowed  # of the keys of Citation File Format 1.2.0


def test_the_hooks_before_a_commit_run_what_tox_runs_and_fetch_nothing():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert {repo["repo"] for repo in config["repos"]} == {"local"}
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    assert {hook["language"] for hook in hooks} == {"system"}
    entries = {hook["entry"] for hook in hooks}
    lint = TOX["testenv:lint"]["commands"].strip().splitlines()
    assert {line.replace("--check ", "") for line in lint} <= entries
    assert TOX["testenv:types"]["commands"].strip() in entries
    for entry in entries:
        for word in entry.split():
            assert "/" not in word or (ROOT / word).exists()


def test_the_page_names_every_environment_of_tox_and_every_role():
    names = [section.partition(":")[2] for section in TOX.sections() if section.startswith("testenv:")]
    assert {"lint", "types", "docs", "api"} <= set(names)
    assert not [name for name in names if f"`{name}`" not in PAGE and f"tox -e {name}" not in PAGE]
    assert not [role for role in registry().classes if f"(plugins/{role}.md)" not in PAGE]


def test_every_path_and_script_that_the_page_names_is_there():
    paths = re.findall(r"`((?:tests|docs|plugins|\.ci|\.pre)[\w./-]*[\w])`", PAGE)
    paths += re.findall(r"python ((?:tests|docs)/[\w/.]+\.py)", PAGE)
    assert len(paths) > 6
    made_up = {"plugins/kinetic_solvers/ralston.py", "tests/kinetic_solvers/test_ralston.py"}
    assert not [path for path in set(paths) - made_up if not (ROOT / path).exists()]


def test_the_root_page_leads_to_it():
    assert "(docs/contributing.md)" in (ROOT / "CONTRIBUTING.md").read_text()
