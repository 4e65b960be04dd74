"""The pages are true: snippets run, every hook, name and component is there, links lead somewhere."""

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import attrs
import pytest
import torch

import kinetic
from kinetic import load_recipe, options, registry
from kinetic._plugins import hooks
from kinetic._plugins.docstring import arguments

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEXT = "\n".join(page.read_text() for page in PAGES)
RECIPES = [
    (page.name, block)
    for page in PAGES
    for block in re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL)
    if "[run]" in block
]


def takes_doc(each):
    return (
        inspect.isfunction(each) and not each.__name__.startswith("_") and "doc" in inspect.signature(each).parameters
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_python_snippets_of_a_page_run(page, tmp_path):
    blocks = re.findall(r"```python run\n(.*?)```", page.read_text(), re.DOTALL)
    code = "\n".join(blocks)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "error::DeprecationWarning:kinetic", "-c", code]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("page", "block"), RECIPES)
def test_every_recipe_on_a_page_gets_through_its_dry_run(page, block, tmp_path):
    (tmp_path / "page.toml").write_text(block)
    recipe = load_recipe(tmp_path / "page.toml")
    run = recipe.content["run"]
    for runner in recipe.runners.values():
        runner.dry_run(run.get("seed", 0), torch.device("cpu"), classes=run.get("classes"))


def test_the_readme_and_the_page_of_the_format_hold_recipes():
    assert {page for page, _ in RECIPES} >= {"README.md", "index.md"}


@pytest.mark.parametrize("name", [name for name, each in vars(options).items() if takes_doc(each)])
def test_every_kind_of_option_stands_in_the_plugin_page(name):
    assert f"| `{name}(" in (ROOT / "docs" / "plugins.md").read_text()


@pytest.mark.parametrize("hook", [name for name in vars(hooks) if name.startswith("register_")])
def test_every_hook_stands_in_the_plugin_page(hook):
    assert f"{hook}(register)" in (ROOT / "docs" / "plugins.md").read_text()
    assert list(inspect.signature(getattr(hooks, hook)).parameters) == ["register"]


def test_every_component_and_public_name_stands_in_the_docs():
    names = {
        name
        for role in registry().classes.values()
        for name, cls in role.items()
        if cls.__module__.startswith("kinetic")
    }
    example = {"ralston3", "velocity-deficit", "acceleration"}
    missing = [name for name in names - example if f"`{name}`" not in TEXT]
    missing += [name for name in kinetic.__all__ if not re.search(rf"\b{name}\b", TEXT)]
    assert not missing, f"nowhere in docs/: {missing}"


COMPONENTS = [
    (role, name, cls)
    for role, names in registry().classes.items()
    for name, cls in names.items()
    if cls.__module__.startswith("kinetic")
]


@pytest.mark.parametrize(("role", "name", "cls"), COMPONENTS)
def test_every_option_says_what_it_takes_and_what_it_means(role, name, cls):
    words = arguments(cls)
    allowed = {field.alias: field.metadata for field in attrs.fields(cls) if field.init}
    silent = [
        key for key, says in allowed.items() if not (says.get(options.BOUND) and words.get(key, says.get(options.DOC)))
    ]
    assert not silent, f"`kinetic show {role} {name}` has no bound or no words for {silent}"
    assert not words.keys() - allowed.keys(), "described, but no options"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_nothing_tells_users_to_install_a_strangers_package():
    assert not re.search(r"pip install kinetic(\s|$|`)", TEXT)
