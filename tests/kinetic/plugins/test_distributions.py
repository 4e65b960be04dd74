"""Distributions as pip leaves them, whole and in pieces."""

import importlib

import pytest

from kinetic import registry
from kinetic._plugins.distributions import (
    canonical,
    distribution_of,
    entry_points,
    folders_of,
    is_disabled,
    left_out,
    source_of,
)


def put(folder, info, entry_point, metadata=True):
    """Metadata of a distribution in a folder, named as it says."""
    (folder / info).mkdir(parents=True)
    name, _, version = info.rpartition(".")[0].partition("-")
    if metadata:
        (folder / info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (folder / info / "entry_points.txt").write_text(f"[kinetic]\n{entry_point} = {entry_point}\n")


def named(name):
    return [point for point in entry_points() if point.name == name]


def test_what_an_interrupted_pip_left_behind_is_ignored(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    put(tmp_path, "acme_mine-0.2.0.dist-info", "acme_mine")
    put(tmp_path, "~cme_mine-0.1.0.dist-info", "acme_mine")
    put(tmp_path, "-cme_mine-0.1.0.dist-info", "acme_mine")
    put(tmp_path, "~inetic_flow-0.0.9.dist-info", "kinetic_solvers")
    (tmp_path / "acme_mine.py").write_text("import kinetic")
    assert [distribution_of(point) for point in named("acme_mine")] == [("acme_mine", "0.2.0")]
    assert [distribution_of(point)[0] for point in named("kinetic_solvers")] == ["kinetic-flow"]
    assert [plugin.version for plugin in registry().plugins if plugin.name == "acme_mine"] == ["0.2.0"]


def test_of_a_distribution_found_twice_the_first_on_the_path_counts(tmp_path, monkeypatch):
    for folder, info in (("wheel", "acme_mine-0.1.0.dist-info"), ("editable", "Acme.Mine-0.2.0.dist-info")):
        put(tmp_path / folder, info, "acme_mine")
        monkeypatch.syspath_prepend(tmp_path / folder)
    assert [point.dist.version for point in named("acme_mine")] == ["0.2.0"]


def test_the_first_counts_even_where_it_no_longer_offers_what_the_second_did(tmp_path, monkeypatch):
    for folder, version, entry_point in (("old", "0.1.0", "acme_gone"), ("new", "0.2.0", "acme_mine")):
        put(tmp_path / folder, f"acme_mine-{version}.dist-info", entry_point)
        monkeypatch.syspath_prepend(tmp_path / folder)
    assert not named("acme_gone")


@pytest.mark.parametrize("suffix", ["dist-info", "egg-info"])
def test_a_folder_without_metadata_is_known_by_its_own_name(tmp_path, monkeypatch, suffix):
    monkeypatch.syspath_prepend(tmp_path)
    put(tmp_path, f"acme_mine-0.3.0.{suffix}", "acme_mine", metadata=False)
    assert [distribution_of(point) for point in named("acme_mine")] == [("acme_mine", "0.3.0")]


def test_an_egg_is_known_by_its_metadata(tmp_path, monkeypatch):
    egg = tmp_path / "acme_mine-0.4.0-py3.egg"
    (egg / "EGG-INFO").mkdir(parents=True)
    (egg / "EGG-INFO" / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: acme-mine\nVersion: 0.4.0\n")
    (egg / "EGG-INFO" / "entry_points.txt").write_text("[kinetic]\nacme_mine = acme_mine\n")
    monkeypatch.syspath_prepend(egg)
    assert [distribution_of(point) for point in named("acme_mine")] == [("acme-mine", "0.4.0")]


def test_a_plugin_is_left_out_by_its_entry_point_or_its_distribution(install, monkeypatch):
    install("acme-one", "acme_one", "", entry_point="one")
    (point,) = named("one")
    for names, expected in (("one", True), ("other, acme-one", True), ("acme_one", False), ("", False)):
        monkeypatch.setenv("KINETIC_DISABLED_PLUGINS", names)
        assert is_disabled(point) is expected


def test_names_are_compared_as_indexes_compare_them():
    assert canonical("Kinetic__Mine.X") == "kinetic-mine-x"


def test_a_package_is_located_without_an_import(install):
    site = install("acme-deep", "acme_deep_unused", "")
    (site / "acme_deep" / "below").mkdir(parents=True)
    for folder in (site / "acme_deep", site / "acme_deep" / "below"):
        (folder / "__init__.py").write_text("raise SystemExit('imported')")
    (site / "acme_deep" / "flat.py").write_text("raise SystemExit('imported')")
    lines = "\n".join(f"{name} = {value}" for name, value in DEEP.items())
    (site / "acme_deep-1.0.dist-info" / "entry_points.txt").write_text(f"[kinetic]\n{lines}\n")
    importlib.invalidate_caches()
    points = {point.name: point for point in entry_points() if point.name in DEEP}
    assert folders_of(points["one"]) == [site / "acme_deep"]
    assert folders_of(points["two"]) == [site / "acme_deep" / "below"]
    sources = {name: source_of(point) for name, point in points.items()}
    assert sources == {
        "one": site / "acme_deep" / "__init__.py",
        "two": site / "acme_deep" / "below" / "__init__.py",
        "three": site / "acme_deep" / "flat.py",
        "four": site / "acme_deep_unused.py",
        "five": None,
        "six": None,
    }


DEEP = {
    "one": "acme_deep",
    "two": "acme_deep.below:plugin",
    "three": "acme_deep.flat",
    "four": "acme_deep_unused",
    "five": "acme_deep.nowhere",
    "six": "acme_nowhere",
}


def test_the_switched_off_names_are_those_between_the_commas(monkeypatch):
    monkeypatch.setenv("KINETIC_DISABLED_PLUGINS", " a, b-c ,,")
    assert left_out() == {"a", "b-c"}
