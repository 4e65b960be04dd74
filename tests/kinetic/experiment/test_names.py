import pytest

from kinetic import load_recipe
from kinetic._experiment.names import LONGEST, check_apart, check_name
from kinetic.errors import KineticError, RecipeError

RECIPE = """
    title = "t"
    [run]
    samples = 4
    [field]
    name = "gaussian"
    [solver]
    name = "euler"
    steps = 2
    [energy.kpe]
"""


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a\\b", "a\0", "a b", "a.b", "~", "\u202e", "a\x1b[2J", "a:b"]
)
def test_a_name_that_could_lead_elsewhere_or_steer_a_terminal_is_refused(name):
    with pytest.raises(RecipeError, match=r"^an arm is named in letters, digits, '-', '_' and '\+': ") as caught:
        check_name(name)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["con", "NUL", "Com1", "lpt9"])
def test_a_name_that_is_a_device_somewhere_is_refused(name):
    with pytest.raises(RecipeError, match=f"^a training cannot be named '{name}', which Windows keeps for a device"):
        check_name(name, "a training")


def test_a_name_is_as_long_as_a_file_may_be_called():
    check_name("é" * (LONGEST // 2))
    with pytest.raises(RecipeError, match=rf"an arm has a name of at most {LONGEST} bytes: 'é+' has {LONGEST + 2}$"):
        check_name("é" * (LONGEST // 2 + 1))
    assert len(f"{'x' * LONGEST}.{'y' * LONGEST}.seed-{2**63}.safetensors") < 255


@pytest.mark.parametrize("pair", [("kts", "KTS"), ("ﬁne", "fine"), ("straße", "STRASSE")])
def test_names_that_are_one_on_some_disks_are_refused(pair):
    with pytest.raises(RecipeError, match=f"two arms are named '{pair[0]}' and '{pair[1]}', which some file systems"):
        check_apart(pair)
    check_apart(("kts", "kts2"))


@pytest.mark.parametrize(
    "more",
    [
        "[arms.'../../out']",
        "[arms.'/tmp/out']",
        '[arms."a\\u0000b"]',
        "[arms.a]\n[arms.A]",
        "[trainings.'../out'.field]\nstd = 1.0\n[trainings.b.field]\nstd = 2.0",
        "[trainings.a.field]\nstd = 1.0\n[trainings.A.field]\nstd = 2.0",
    ],
)
def test_a_recipe_with_such_names_is_refused_before_anything_is_written(more, recipe, tmp_path):
    path = recipe(RECIPE + more)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(KineticError, match="named"):
        load_recipe(path).run(tmp_path / "runs" / "out", device="cpu")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "name", ["../../out", "/tmp/kinetic-out", "a\\u0000b", "..", "nul", "\\u202ea\\u001b]52;c;\\u0007"]
)
def test_names_of_metrics_and_energies_are_no_paths(name, recipe, tmp_path):
    path = recipe(
        RECIPE.replace("[energy.kpe]", "") + f'[energy."{name}"]\nname = "kpe"\n[metrics."{name}"]\nname = "vendi"\n'
    )
    before = {*tmp_path.rglob("*")}
    out = tmp_path / "runs" / "out"
    load_recipe(path).run(out, device="cpu")
    assert {each for each in tmp_path.rglob("*") if out not in (each, *each.parents)} - before == {out.parent}
    page = (out / "report.html").read_text(encoding="utf-8")
    assert not {"\u202e", "\x1b", "\x00"} & {*page}
