from importlib.metadata import version

import pytest

from kinetic import registry
from kinetic._plugins.distributions import entry_points
from kinetic._plugins.loading import glance, misspelt_switches, owner_of

NOTHING = "x = 1"


def plugin_of(name):
    (plugin,) = [plugin for plugin in registry().plugins if plugin.name == name]
    return plugin


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("kinetic-flow>=9", f"acme_far needs kinetic-flow>=9, this is {version('kinetic-flow')}"),
        ("Kinetic_Flow<0.0.1", f"acme_far needs kinetic-flow<0.0.1, this is {version('kinetic-flow')}"),
        ("kinetic-flow>=9; python_version < '3'", None),
        ("kinetic-flow", None),
        ("torch>=99", None),
        ("not a requirement at all !", None),
    ],
)
def test_a_plugin_for_another_kinetic_is_not_imported_and_says_so(install, line, error):
    site = install("acme-far", "acme_far", "raise RuntimeError" if error else NOTHING)
    (site / "acme_far-1.0.dist-info" / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: acme-far\nVersion: 1.0\nRequires-Dist: {line}\n"
    )
    assert plugin_of("acme_far").error == error


def test_what_an_import_prints_is_kept_from_the_output_and_noted(install, capsys):
    install("acme-loud", "acme_loud", "print('hello,')\nprint('world')")
    assert plugin_of("acme_loud").notes == ("it prints when it is imported: hello, world",)
    assert capsys.readouterr().out == ""


def test_how_long_an_import_takes_is_told_and_noted_where_it_is_long(install):
    install("acme-slow", "acme_slow", "import time\ntime.sleep(1.1)")
    plugin = plugin_of("acme_slow")
    assert plugin.seconds > 1
    assert plugin.notes == (f"its import takes {plugin.seconds:.1f} s: import what is heavy where it is used",)


def test_a_switch_that_switches_nothing_off_is_said_with_the_nearest_name(install, monkeypatch):
    install("acme-one", "acme_one", NOTHING)
    monkeypatch.setenv("KINETIC_DISABLED_PLUGINS", "acme_one,acme-one,kinetic_solvers,acme_on,zzzz")
    assert misspelt_switches(entry_points()) == [
        "KINETIC_DISABLED_PLUGINS names 'acme_on', which is no plugin here; the nearest is acme_one",
        "KINETIC_DISABLED_PLUGINS names 'zzzz', which is no plugin here",
    ]


def test_metadata_alone_tell_which_plugins_cannot_be_in_use(install, monkeypatch):
    site = install("acme-far", "acme_far", "raise SystemExit('imported')")
    (site / "acme_far-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: acme-far\nVersion: 1.0\nRequires-Dist: kinetic-flow>=9\n"
    )
    install("acme-two", "acme_two", "raise SystemExit('imported')", entry_point="kinetic_solvers")
    install("acme-off", "acme_off", "raise SystemExit('imported')")
    install("acme-fine", "acme_fine", "raise SystemExit('imported')")
    monkeypatch.setenv("KINETIC_DISABLED_PLUGINS", "acme_off")
    errors = {name: plugin.error for name, (_, plugin) in glance(entry_points()).items()}
    assert errors["acme_far"].startswith("acme_far needs kinetic-flow>=9")
    assert errors["kinetic_solvers of acme-two"].startswith("kinetic-flow has the entry point 'kinetic_solvers' too")
    assert errors["acme_off"] == "switched off by KINETIC_DISABLED_PLUGINS"
    assert errors["acme_fine"] is errors["kinetic_solvers"] is None


@pytest.mark.parametrize(
    ("owners", "ours", "owner"),
    [(["a"], [], "a"), (["a", "b"], [], None), (["a", "b"], ["b"], "b"), (["b", "a"], ["b"], "b"), ([], [], None)],
)
def test_a_name_is_kinetics_own_or_the_only_ones(owners, ours, owner):
    assert owner_of(owners, ours) == owner
