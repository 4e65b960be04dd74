"""The pages are true: snippets run, every hook, name and component is there, links lead somewhere."""

import inspect
import re
from pathlib import Path

import attrs
import pytest
import torch

import kinetic
from kinetic import Column, abstract_class, load_recipe, options, registry
from kinetic._plugins import hooks
from kinetic._plugins.docstring import arguments
from kinetic.testing import promises

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "plugins" / "kinetic-example" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
TEXT = "\n".join(page.read_text() for page in PAGES)
RECIPES = [
    (page.name, block)
    for page in PAGES
    for block in re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL)
    if "[run]" in block
]


SNIPPETS = [
    pytest.param(code, id=f"{page.relative_to(ROOT)}-{i}")
    for page in PAGES
    for i, code in enumerate(re.findall(r"```python run\n(.*?)```", page.read_text(), re.DOTALL), 1)
]
ROLES = [*registry().classes]


def page_of(role):
    return ROOT / "docs" / "plugins" / f"{role}.md"


def run(code):
    """What a snippet defines, run by itself as a fresh interpreter would."""
    names = {"__name__": "__main__"}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        exec(compile(code, "snippet", "exec"), names)
    return names


def anchors(page):
    """What links can point to on a page, as GitHub makes them of headings."""
    heads = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def takes_doc(each):
    return (
        inspect.isfunction(each) and not each.__name__.startswith("_") and "doc" in inspect.signature(each).parameters
    )


@pytest.mark.parametrize("code", SNIPPETS)
@pytest.mark.filterwarnings("error::DeprecationWarning:kinetic")
def test_every_python_snippet_runs_by_itself(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(code)


@pytest.mark.parametrize(("page", "block"), RECIPES)
def test_every_recipe_on_a_page_gets_through_its_dry_run(page, block, tmp_path):
    (tmp_path / "page.toml").write_text(block)
    recipe = load_recipe(tmp_path / "page.toml")
    run = recipe.content["run"]
    for runner in recipe.runners.values():
        runner.dry_run(run.get("seed", 0), torch.device("cpu"), classes=run.get("classes"))


def test_the_readme_and_the_page_of_the_format_hold_recipes():
    assert {page for page, _ in RECIPES} >= {"README.md", "format.md"}


@pytest.mark.parametrize("name", [name for name, each in vars(options).items() if takes_doc(each)])
def test_every_kind_of_option_stands_in_the_plugin_page(name):
    assert f"| `{name}(" in (ROOT / "docs" / "plugins.md").read_text()


@pytest.mark.parametrize("hook", [name for name in vars(hooks) if name.startswith("register_")])
def test_every_hook_takes_register_and_stands_in_the_table_of_roles_or_has_its_own_section(hook):
    assert list(inspect.signature(getattr(hooks, hook)).parameters) == ["register"]
    if hook in hooks.ROLES.values():
        assert hook in {hook for _, hook in registered().values()}
    else:
        assert f"The hook `{hook}`" in (ROOT / "docs" / "plugins.md").read_text()


def test_every_option_of_kinetic_plugins_stands_on_the_page_of_plugins():
    text = (ROOT / "docs" / "plugins.md").read_text()
    for option in ("--quick", "--check"):
        assert f"| `{option}` |" in text


def registered():
    """`{role: (abstract class, hook)}` as the table of the plugin page has them."""
    rows = re.findall(
        r"^\| `(\w+)` \| \[\w+\]\(plugins/(\w+)\.md\) \| `(\w+)` \| `(\w+)\(register\)` \|",
        (ROOT / "docs" / "plugins.md").read_text(),
        re.MULTILINE,
    )
    assert all(role == page for role, page, _, _ in rows)
    return {role: (cls, hook) for role, _, cls, hook in rows}


def test_every_role_has_its_row_its_page_and_nothing_else_has_one():
    assert [*registered()] == ROLES
    assert {page.stem for page in (ROOT / "docs" / "plugins").glob("*.md")} == {*ROLES}


@pytest.mark.parametrize("role", ROLES)
def test_the_page_of_a_role_names_its_class_hook_and_check(role):
    text, (cls, hook) = page_of(role).read_text(), registered()[role]
    assert abstract_class(role).__name__ == cls
    assert f"Role `{role}`, abstract class `kinetic.{cls}`" in text
    assert f"hook `{hook}`" in text
    assert f"`kinetic.testing.check_{role}(" in text
    assert "## In a recipe\n" in text
    assert "## Traps\n" in text


@pytest.mark.parametrize("role", ROLES)
def test_the_page_of_a_role_makes_and_checks_a_component_that_does_not_ship(role, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (code, *_) = re.findall(r"```python run\n(.*?)```", page_of(role).read_text(), re.DOTALL)
    made = [each for each in run(code).values() if is_component(each, role) and each.__module__ == "__main__"]
    assert len(made) == 1
    assert f"check_{role}({made[0].__name__}(" in code
    assert "\nassert " in code, "no number that is right by a formula"
    assert made[0].__name__ not in {cls.__name__ for cls in registry().classes[role].values()}


def checks_in(text):
    """`{check: promise}` of a table of checks."""
    _, _, table = text.partition("| check | promise |\n")
    return dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", table.partition("\n\n")[0], re.MULTILINE))


@pytest.mark.parametrize("role", ROLES)
def test_the_page_of_a_role_has_its_checks_with_their_promises(role):
    shared = promises("every")
    assert checks_in(page_of(role).read_text()) == {
        name: promise for name, promise in promises(role).items() if name not in shared
    }


def test_the_page_of_plugins_has_the_checks_that_all_roles_share():
    assert checks_in((ROOT / "docs" / "plugins.md").read_text()) == promises("every")


def is_component(each, role):
    return inspect.isclass(each) and issubclass(each, abstract_class(role)) and not inspect.isabstract(each)


@pytest.mark.parametrize("role", ["solver", "meter", "metric"])
def test_pages_of_roles_with_columns_say_what_every_field_of_a_column_is(role):
    text = page_of(role).read_text()
    assert not [field.name for field in attrs.fields(Column) if f"| `{field.name}` |" not in text]


def test_every_component_and_public_name_stands_in_the_docs():
    names = {
        name
        for role in registry().classes.values()
        for name, cls in role.items()
        if cls.__module__.startswith("kinetic")
    }
    example = {"ralston3", "ramp", "acceleration"}
    missing = [name for name in names - example if f"`{name}`" not in TEXT]
    components = (ROOT / "docs" / "components.md").read_text()
    missing += [name for name in kinetic.__all__ if f"`{name}`" not in components]
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
    for target, anchor in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", page.read_text()):
        if not target.startswith("http"):
            aim = page.parent / target if target else page
            assert aim.exists(), f"{page.name}: {target}"
            scheme = aim.suffix == ".webp" and f"gh-{aim.stem.rpartition('-')[2]}-mode-only"
            assert not anchor or anchor in (scheme or anchors(aim)), f"{page.name}: {target}#{anchor}"


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.parent.name != "kinetic-example"], ids=lambda p: p.name
)
def test_every_page_is_linked_from_the_index_or_from_the_page_above_it(page):
    above = [ROOT / "docs" / "index.md", ROOT / "docs" / "plugins.md", ROOT / "README.md"]
    aims = {(each.parent / link).resolve() for each in above for link in re.findall(r"\]\(([^)#]+)", each.read_text())}
    assert page.resolve() in aims or page.name == "README.md"


def test_the_map_has_every_folder_of_the_core_and_every_plugin():
    text = (ROOT / "docs" / "index.md").read_text()
    core = [folder.parent.name for folder in (ROOT / "kinetic").glob("*/__init__.py")]
    plugins = [folder.name for folder in (ROOT / "plugins").iterdir() if folder.name.startswith("kinetic")]
    assert not [name for name in core if f"| `{name}/` |" not in text]
    assert not [name for name in plugins if f"| `plugins/{name}` |" not in text]


def test_nothing_tells_users_to_install_a_strangers_package():
    assert not re.search(r"pip install kinetic(\s|$|`)", TEXT)
