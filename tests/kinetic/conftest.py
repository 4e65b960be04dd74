"""Real little distributions on the path, and small recipes."""

import importlib
import json
import sys
import textwrap

import pytest

from kinetic._store.manifest import Manifest


@pytest.fixture
def install(tmp_path, monkeypatch):
    """install(distribution, module, source, entry_point=module): a distribution as pip would leave it."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def put(distribution, module, source, entry_point=None):
        (site / f"{module}.py").write_text(textwrap.dedent(source))
        info = site / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[kinetic]\n{entry_point or module} = {module}\n")
        importlib.invalidate_caches()  # the time of a folder is too coarse to tell two writes apart
        return site

    yield put
    for name, module in [*sys.modules.items()]:  # another test may have another one of this name
        if str(getattr(module, "__file__", None)).startswith(str(site)):
            del sys.modules[name]


@pytest.fixture
def ship(install):
    """ship(distribution, content, recipe): a package that does not import, with a recipe, as pip would leave it."""

    def put(distribution, content="title = 'x'", recipe="late"):
        module = distribution.replace("-", "_")
        site = install(distribution, f"{module}_unused", "")
        (site / module / "recipes").mkdir(parents=True)
        (site / module / "__init__.py").write_text("raise SystemExit('imported')")
        (site / module / "recipes" / f"{recipe}.toml").write_text(content)
        (site / f"{module}-1.0.dist-info" / "entry_points.txt").write_text(f"[kinetic]\n{module} = {module}\n")
        importlib.invalidate_caches()
        return site

    return put


@pytest.fixture
def recipe(tmp_path):
    """recipe(text): the path of a recipe file."""

    def write(text, name="small.toml"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return path

    return write


@pytest.fixture
def rewrite():
    """rewrite(folder, name, value): a JSON file of a run folder with other content, as if kinetic had written it."""

    def write(folder, name, value):
        text = json.dumps(value)
        Manifest.read(folder).write(name, lambda part: part.write_text(text, encoding="utf-8"))

    return write
