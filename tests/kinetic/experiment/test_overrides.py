"""Tables over tables, and what `--set` says."""

import pytest

from kinetic._experiment.overrides import merged, overridden, parsed
from kinetic.errors import RecipeError, UnknownNameError


def test_merging_goes_table_by_table():
    assert merged({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}}) == {"a": {"x": 1, "y": 3}}
    assert merged({"name": "a", "x": 1}, {"name": "b"}) == {"name": "b"}
    assert merged({"name": "a", "x": 1}, {"name": "a", "y": 2}) == {"name": "a", "x": 1, "y": 2}
    assert merged({"m": {"f": {"name": "a", "x": 1}}}, {"m": {"f": {"name": "b"}}}) == {"m": {"f": {"name": "b"}}}


def test_a_string_that_meets_a_table_is_the_name_of_a_component():
    assert merged({"f": {"name": "a", "x": 1}}, {"f": "a"}) == {"f": {"name": "a", "x": 1}}
    assert merged({"f": {"name": "a", "x": 1}}, {"f": "b"}) == {"f": {"name": "b"}}
    assert merged({"f": "a"}, {"f": {"x": 2}}) == {"f": {"name": "a", "x": 2}}
    assert merged({"f": "a"}, {"f": {"name": "b", "x": 2}}) == {"f": {"name": "b", "x": 2}}
    assert merged({"f": "a"}, {"f": "b"}) == {"f": "b"}
    assert merged({}, {"f": "b"}) == {"f": "b"}


def test_a_table_of_components_is_named_by_its_key():
    """`[metrics.kid]` is a kid: to say so changes no name."""
    base = {"kid": {"subsets": 3}, "other": {"name": "kid", "subsets": 3}}
    assert merged(base, {"kid": {"name": "kid"}}, "metrics")["kid"] == {"name": "kid", "subsets": 3}
    assert merged(base, {"kid": {"name": "vendi"}}, "metrics")["kid"] == {"name": "vendi"}
    assert merged(base, {"other": {"name": "other"}}, "metrics")["other"] == {"name": "other"}


def test_a_component_may_be_called_name():
    assert merged({"name": {"x": 1}}, {"name": {"y": 2}}, "metrics") == {"name": {"x": 1, "y": 2}}


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("7", 7),
        ("0.5", 0.5),
        ("true", True),
        ("[1, 2]", [1, 2]),
        ("[1,\n2]", [1, 2]),
        ("{a = 1}", {"a": 1}),
        ("'a, b # c'", "a, b # c"),
        ('"""a\nb"""', "a\nb"),
        ('"a\\nb"', "a\nb"),
        (" 7 ", 7),
        ("7#b", "7#b"),
        ("7 # b", "7 # b"),
        ("true#b", "true#b"),
        ("'x' # y", "'x' # y"),
        ("7,", "7,"),
        ("1, 2", "1, 2"),
        ("1, b = 2", "1, b = 2"),
        ("/a/b=c", "/a/b=c"),
        ("", ""),
        ("été", "été"),
    ],
)
def test_the_value_is_all_of_what_is_given(given, value):
    assert parsed(f"title={given}") == (["title"], value)


@pytest.mark.parametrize("given", ["7\nsamples=3", "7#b\nx", "a\nb", "1}\nx = {it = 2", "a\x1bb"])
def test_text_of_several_lines_is_refused_not_cut(given):
    with pytest.raises(RecipeError, match="title must be set to a value of TOML, or to text of one line"):
        parsed(f"title={given}")


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(RecipeError, match="an override must be text, which a recipe can hold"):
        parsed("data.path=\udcff.npy")
    assert parsed("data.path=é?.npy") == (["data", "path"], "é?.npy")


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ('arms."v1.2".x=1', ["arms", "v1.2", "x"]),
        ("arms.'v1.2'.x=1", ["arms", "v1.2", "x"]),
        (r'"a\"b=c".x=1', ['a"b=c', "x"]),
        (r'"a\u0062"=1', ["ab"]),
        (' a . "b c" = 1', ["a", "b c"]),
        ("arms.größe+kts.x=1", ["arms", "größe+kts", "x"]),
    ],
)
def test_keys_are_those_of_toml(given, path):
    assert parsed(given) == (path, 1)


@pytest.mark.parametrize("given", ["alpha", "=3", "a..b=1", "a.=1", 'a."b=1', r'"\q"=1', "a b=1", "a[0]=1"])
def test_what_is_no_key_is_refused(given):
    with pytest.raises(RecipeError):
        parsed(given)


CONTENT = {
    "title": "x",
    "solver": {"name": "euler", "steps": 9, "grid": "cosine"},
    "features": "digits",
    "metrics": {"kid": {"subsets": 3}},
    "arms": {"v1.2": {"solver": {"steps": 3}}},
}


@pytest.mark.parametrize("order", [1, -1])
def test_a_changed_name_starts_afresh_whatever_the_order(order):
    changes = ["solver.name=heun", "solver.steps=4", 'arms."v1.2".solver.steps=5'][::order]
    found = overridden(CONTENT, changes)
    assert found["solver"] == {"name": "heun", "steps": 4}
    assert found["arms"]["v1.2"]["solver"] == {"steps": 5}
    assert CONTENT["solver"]["name"] == "euler"


def test_the_same_name_keeps_the_other_options():
    assert overridden(CONTENT, ["solver.name=euler"])["solver"] == CONTENT["solver"]
    assert overridden(CONTENT, ["metrics.kid.name=kid"])["metrics"]["kid"] == {"name": "kid", "subsets": 3}
    assert overridden(CONTENT, ["metrics.kid.name=frechet"])["metrics"]["kid"] == {"name": "frechet"}


def test_a_table_takes_the_place_of_the_old_one_and_can_be_changed_after():
    assert overridden(CONTENT, ["solver={name='euler'}"])["solver"] == {"name": "euler"}
    found = overridden(CONTENT, ["solver={name='euler'}", "solver.steps=2"])["solver"]
    assert found == {"name": "euler", "steps": 2}
    assert type(found) is dict
    assert overridden(CONTENT, ["arms={}"])["arms"] == {}


def test_a_component_given_by_its_name_takes_options():
    assert overridden(CONTENT, ["features.size=2"])["features"] == {"name": "digits", "size": 2}
    assert overridden(CONTENT, ["solver=heun", "solver.steps=2"])["solver"] == {"name": "heun", "steps": 2}


@pytest.mark.parametrize("key", ["metrics", "energy", "run", "arms"])
def test_a_string_in_place_of_a_table_of_components_is_no_component(key):
    assert merged({key: {"kid": {}}}, {key: "kid"}) == {key: "kid"}
    with pytest.raises(RecipeError, match=r"goes through .*, which is no table: 'kid'"):
        overridden({key: "kid"}, [f"{key}.kid.x=1"])


@pytest.mark.parametrize("given", ["solver.name.x=1", "title.x=1", "solver.steps.x=1"])
def test_what_leads_through_no_table_is_refused(given):
    with pytest.raises(RecipeError, match=r"goes through .*, which is no table: "):
        overridden(CONTENT, [given])


def test_a_change_through_one_that_is_no_table_is_refused():
    with pytest.raises(RecipeError, match=r"goes through 'arms', which is no table: 3"):
        overridden(CONTENT, ["arms=3", 'arms."v1.2".solver.steps=1'])


def test_an_arm_must_be_there_or_be_set_whole():
    with pytest.raises(UnknownNameError, match=r"there is no arm 'v1'\. Did you mean 'v1\.2'\?"):
        overridden(CONTENT, ["arms.v1.2.solver=heun"])
    found = overridden(CONTENT, ["arms.new={solver={steps=9}}", "arms.new.solver.steps=8"])
    assert found["arms"]["new"] == {"solver": {"steps": 8}}
