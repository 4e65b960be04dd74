import os
import textwrap
from pathlib import Path

import pytest
from kinetic_digits import Digits, DigitsFeatures
from kinetic_features import Pixels
from kinetic_schedules import KTS
from kinetic_solvers import Euler, Midpoint

from kinetic import load_recipe
from kinetic._experiment.recipe_file import read_recipe
from kinetic.errors import KineticError, MissingFileError, OptionError, RecipeError, UnknownNameError

SMALL = """
    title = "small"
    [run]
    samples = 10
    [data]
    name = "digits"
    size = 40
    [field]
    name = "empirical"
    [solver]
    name = "euler"
    steps = 4
    [energy.kpe]
    [metrics.memorisation]
    [arms.plain]
    [arms.kts.schedule]
    name = "kts"
    beta = 0.02
    [arms.fine]
    solver = { name = "midpoint" }
    data = { size = 60 }
    baseline = "kts"
"""


def test_an_arm_overrides_the_base_and_starts_afresh_where_it_changes_the_name(recipe):
    found = load_recipe(recipe(SMALL))
    assert list(found.runners) == ["plain", "kts", "fine"]
    assert found.baselines == {"kts": "plain", "fine": "kts"}
    plain, kts, fine = found.runners.values()
    assert isinstance(plain.solver, Euler)
    assert plain.schedule is None
    assert isinstance(kts.schedule, KTS)
    assert (kts.schedule.alpha, kts.schedule.beta) == (0.01, 0.02)
    assert isinstance(fine.solver, Midpoint)
    assert fine.solver.steps == 50  # midpoint's own default, not euler's 4
    assert len(fine.field.data) == 60
    assert len(fine.metrics["memorisation"].train) == 60


def test_against_is_an_older_name_of_baseline(recipe):
    older = load_recipe(recipe(SMALL.replace("baseline", "against")))
    assert older.baselines == load_recipe(recipe(SMALL)).baselines == {"kts": "plain", "fine": "kts"}
    changed = load_recipe(recipe(SMALL), ["arms.fine.baseline=plain"])
    assert changed.baselines == {"kts": "plain", "fine": "plain"}


def test_arms_share_what_they_have_in_common(recipe):
    plain, kts, _ = load_recipe(recipe(SMALL)).runners.values()
    assert plain.field is kts.field
    assert plain.metrics["memorisation"] is kts.metrics["memorisation"]


BARE = """
    features = "digits"
    reference = { name = "digits", split = "test" }
    data = "digits"
    field = "digits"
    solver = "euler"
    [run]
    samples = 10
    [energy]
    kpe = "kpe"
    [metrics]
    frechet = "frechet"
    support = "knn-support"
    [metrics.memorisation]
    [metrics.plain]
    name = "vendi"
    features = "pixels"
    [metrics.deep]
    name = "vendi"
    [arms.one]
    [arms.two]
    field = "empirical"
    solver.steps = 7
    schedule = "kts"
    [arms.three]
    features = "pixels"
    reference.split = "train"
    data.size = 60
    field = "empirical"
"""


def test_a_bare_string_is_the_name_of_a_component_in_arms_too(recipe):
    one, two, three = load_recipe(recipe(BARE)).runners.values()
    assert (type(one.field).__name__, type(two.field).__name__) == ("DigitsField", "Empirical")
    assert (one.solver.steps, two.solver.steps) == (50, 7)
    assert isinstance(two.schedule, KTS)
    assert list(one.meters) == ["kpe"]
    assert (type(one.metrics["support"]).__name__, len(three.field.data)) == ("KNNSupport", 60)


def test_features_and_reference_are_defaults_like_data(recipe):
    one, _, three = load_recipe(recipe(BARE)).runners.values()
    for name in ("frechet", "support", "memorisation", "deep"):  # required, with a default, and optional
        assert isinstance(one.metrics[name].features, DigitsFeatures)
        assert isinstance(three.metrics[name].features, Pixels)
    assert isinstance(one.metrics["plain"].features, Pixels)
    for name in ("frechet", "support"):
        assert len(one.metrics[name].reference) == 360
        assert len(three.metrics[name].reference) == 1437
    assert len(one.metrics["memorisation"].train) == 1437
    assert len(three.metrics["memorisation"].train) == 60


def test_without_a_reference_data_is_what_is_compared_with(recipe):
    changes = ["metrics.frechet={}", "metrics.support={name='knn-support'}"]
    (plain, *_) = load_recipe(recipe(SMALL), changes).runners.values()
    assert plain.metrics["frechet"].reference is plain.metrics["support"].reference is plain.field.data


def test_what_metrics_and_arms_have_in_common_is_one_object(recipe):
    one, two, _ = load_recipe(recipe(BARE)).runners.values()
    spaces = {id(metric.features) for arm in (one, two) for name, metric in arm.metrics.items() if name != "plain"}
    assert len(spaces) == 1
    data = {id(arm.metrics["memorisation"].train) for arm in (one, two)}
    assert data == {id(two.field.data)}
    assert one.metrics["frechet"] is two.metrics["frechet"]


def test_no_default_of_a_recipe_may_import_code(recipe):
    with pytest.raises(RecipeError, match="features 'module' imports code that its options name, which no recipe may"):
        load_recipe(recipe(SMALL), ["features={name='module', module='os:path'}"])


@pytest.mark.parametrize("key", ["data", "reference", "features", "field", "solver", "schedule"])
def test_a_component_of_a_recipe_is_a_table_or_a_name(recipe, key):
    for path in (key, f"arms.kts.{key}"):
        with pytest.raises(RecipeError, match=rf"\[{path}\] must be a table: 3"):
            load_recipe(recipe(SMALL), [f"{path}=3"])


def test_overrides_change_single_values(recipe):
    overrides = ["arms.kts.schedule.beta=0.005", "run.samples=7", "solver.grid=cosine", "title='two'"]
    found = load_recipe(recipe(SMALL), overrides)
    assert found.runners["kts"].schedule.beta == 0.005
    assert found.runners["plain"].solver.grid.times(2) == pytest.approx([0, 0.5, 1])
    assert found.content["run"]["samples"] == 7
    assert found.title == "two"


def test_without_arms_there_is_one():
    from kinetic._experiment.read_recipe import build_recipe
    from kinetic._plugins.registry import registry

    content = {"run": {"samples": 2}, "field": {"name": "gaussian"}, "solver": {"name": "heun"}}
    assert list(build_recipe("x", content, registry()).runners) == ["base"]


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ("solver.name=hein", UnknownNameError, "arm 'plain': no solver is named 'hein'. Did you mean 'heun'?"),
        ("solver.step=3", UnknownNameError, "arm 'plain': solver 'euler' has no option 'step'. Did you mean 'steps'?"),
        (
            "solver.steps=2.5",
            OptionError,
            "arm 'plain': solver 'euler': 'steps' must be an int >= 1 and <= 1000000: 2.5",
        ),
        ("arms.kts.schedule.beta=0.1", OptionError, "arm 'kts': schedule 'kts': 'beta' must be <= 0.0523957"),
        ("data.size=5000", OptionError, "'size' must be an int from 1 to 1437 for split 'train': 5000"),
        ("data.size=1", OptionError, "'train' must hold 2 points or more"),
        ("solvr.name=euler", UnknownNameError, "the recipe has no key 'solvr'. Did you mean 'solver'?"),
        ("run.sample=3", UnknownNameError, "[run] has no key 'sample'. Did you mean 'samples'?"),
        ("run.samples=0", OptionError, "[run] 'samples' must be an int >= 1: 0"),
        ("run.samples=many", OptionError, "[run] 'samples' must be an int >= 1: 'many'"),
        ("run.seed=true", OptionError, "[run] 'seed' must be an int >= 0: True"),
        ("arms.kts.sched.name=kts", UnknownNameError, "arm 'kts' has no key 'sched'. Did you mean 'schedule'?"),
        (
            "arms.kts.baseline=plane",
            UnknownNameError,
            "arm 'kts': `baseline` names no arm: 'plane'. Did you mean 'plain'?",
        ),
        ("solver=3", RecipeError, "[solver] must be a table: 3"),
        ("energy.kpe=1", RecipeError, "[energy] holds tables, as in `[energy.kpe]`: kpe = 1"),
        ("arms.kts=1", RecipeError, "arm 'kts' must be a table: 1"),
        ("field.name=digits-memorized", UnknownNameError, "Did you mean 'digits-memorised'?"),
        ("metrics.clip.model=local-dir:/none", OptionError, "metric 'clip' needs the option 'prompts'"),
    ],
)
def test_what_cannot_be_is_named_before_anything_runs(recipe, change, error, said):
    with pytest.raises(error) as caught:
        load_recipe(recipe(SMALL), [change])
    assert said in str(caught.value)


def test_missing_weights_are_named(recipe):
    changes = ["metrics.fid.name=frechet", "metrics.fid.features={name='inception', weights='/no/inception.pth'}"]
    with pytest.raises(MissingFileError) as caught:
        load_recipe(recipe(SMALL), changes)
    said = "arm 'plain': features 'inception': Inception weights: there is no '/no/inception.pth'"
    assert said in str(caught.value).replace("metric 'frechet': ", "")


@pytest.mark.parametrize("bad", ["alpha", "=3", "a..b=1", "solver.name.x=1"])
def test_an_override_of_the_wrong_form_is_named(recipe, bad):
    with pytest.raises(RecipeError):
        load_recipe(recipe(SMALL), [bad])


def test_a_file_that_is_no_toml_is_named_with_the_place(recipe):
    with pytest.raises(RecipeError, match=r"small\.toml is not valid TOML: .*line 2"):
        load_recipe(recipe("title = 'x'\n[run\n"))
    path = recipe("")
    path.write_bytes(b"\xff\xfe\x00binary")
    with pytest.raises(RecipeError, match="is not valid TOML"):
        load_recipe(path)


@pytest.mark.parametrize("text", ["title = 'x'", SMALL])
def test_a_byte_order_mark_is_no_part_of_a_recipe(tmp_path, text):
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_recipe(path)["title"] in ("x", "small")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("deep = " + "[" * 2000 + "]" * 2000, r"'deep' is nested more than 40 deep"),
        ("deep = " + "{a=" * 2000 + "1" + "}" * 2000, r"'deep' is nested more than 40 deep"),
        (".".join("d" * 2000) + " = 1", r"d is nested more than 40 deep"),
        ("big = " + "9" * 5000, r"'big' must be an int of 64 bits, at most 9223372036854775807"),
        ("big = 0x" + "f" * 5000, r"big must be an int of 64 bits, .*: a number of 6021 digits or so"),
        ("big = 9223372036854775808", r"big must be an int of 64 bits, .*: 9223372036854775808"),
        ("big = 1e400", r"big must be a finite number, at most 1\.8e308: inf"),
        ("about = [1]", r"'about' must be a string: \[1\]"),
    ],
)
def test_what_no_file_of_a_run_could_hold_is_named_with_its_key(recipe, line, said):
    with pytest.raises(RecipeError, match=said):
        load_recipe(recipe(f"{line}\n{textwrap.dedent(SMALL)}"))


def test_what_a_recipe_must_have_is_said(recipe):
    for missing, said in (("run.samples", "[run] needs `samples`"), ("solver", "there is no [solver]")):
        text = SMALL.replace("samples = 10", "").replace("[run]", "[run]") if missing == "run.samples" else None
        text = text or SMALL.replace('[solver]\n    name = "euler"\n    steps = 4', "").replace("solver = {", "x_ = {")
        with pytest.raises(KineticError) as caught:
            load_recipe(recipe(text.replace('x_ = { name = "midpoint" }', "")))
        assert said in str(caught.value)


def test_a_recipe_file_that_is_not_there_is_no_unknown_recipe():
    for name in ("no.toml", "no.TOML"):
        with pytest.raises(RecipeError, match=f"there is no recipe file '{name}'"):
            load_recipe(name)


def test_an_unknown_recipe_gets_the_shipped_ones():
    with pytest.raises(UnknownNameError) as caught:
        load_recipe("goldilock")
    assert "Did you mean 'goldilocks'?" in str(caught.value)
    with pytest.raises(RecipeError, match=r"there is no recipe file 'nowhere\.toml'"):
        load_recipe("nowhere.toml")


def test_a_recipe_holds_data_only(recipe):
    """A string that looks like code stays a string."""
    with pytest.raises(KineticError, match="must be a number"):
        load_recipe(recipe(SMALL), ["arms.kts.schedule.alpha=__import__('os').getcwd()"])
    assert len(Digits(size=3)) == 3


def test_a_recipe_of_two_strangers_is_run_by_the_name_of_its_plugin(ship):
    for name in ("acme-one", "acme-two"):
        ship(name, content=textwrap.dedent(SMALL), recipe="late")
    with pytest.raises(UnknownNameError, match="acme_one and acme_two both ship a recipe named 'late': say which"):
        load_recipe("late")
    assert load_recipe("acme_two:late").name == "late"
    with pytest.raises(UnknownNameError, match=r"no recipe is named 'acme_three:late'. Did you mean"):
        load_recipe("acme_three:late")


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ("arms.kts.baseline=['plain']", UnknownNameError, "arm 'kts': `baseline` names no arm:"),
        ("arms.kts.against=['plain']", UnknownNameError, "arm 'kts': `against` names no arm:"),
        ("arms.fine.against=plain", RecipeError, "arm 'fine' gives both `baseline` and `against`"),
        (
            "run.seed=9223372036854775808",
            RecipeError,
            "run.seed must be an int of 64 bits, at most 922337203685",
        ),
        (
            "arms.kts.schedule.alpha=nan",
            RecipeError,
            "arms.kts.schedule.alpha must be a finite number, at most 1.8e308",
        ),
        ("run.samples=true", OptionError, "[run] 'samples' must be an int >= 1: True"),
        ("arms.kts.field.name=3", OptionError, "arm 'kts': a field needs a `name`, one of: "),
        ("field.classes=1", OptionError, "arm 'plain': field 'empirical': 'classes' must be true or false: 1"),
        ("title=3", RecipeError, "'title' must be a string: 3"),
        ("about={ a = 1 }", RecipeError, "'about' must be a string: {'a': 1}"),
        ("arms.kts.schedule.alpha=1e999", RecipeError, "arms.kts.schedule.alpha must be a finite number"),
        ("arms.kts.schedule.alpha=[[0.1, -inf]]", RecipeError, "arms.kts.schedule.alpha must be a finite number"),
        ("arms.kts.schedule.alpha=0x" + "f" * 5000, RecipeError, "arms.kts.schedule.alpha must be an int of 64 bits"),
        ("arms.kts.schedule.alpha=" + "9" * 5000, RecipeError, "arms.kts.schedule.alpha must be an int of 64 bits"),
        ("field.a=" + "[" * 2000, RecipeError, "field.a is nested more than 40 deep"),
        ("field={" + "a." * 2000 + "a=1}", RecipeError, "field is nested more than 40 deep"),
        (f"field.{'a.' * 2000}a=1", RecipeError, "is nested more than 40 deep"),
        ("arms.'x y'={}", RecipeError, "an arm is named in letters, digits, '-', '_' and '+'"),
    ],
)
def test_odd_values_are_named_too(recipe, change, error, said):
    with pytest.raises(error) as caught:
        load_recipe(recipe(SMALL), [change])
    assert said in str(caught.value)


def test_a_pipe_a_folder_and_a_device_are_no_recipe_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "folder.toml").mkdir()
    for path in (tmp_path / "pipe.toml", "/dev/zero"):
        with pytest.raises(RecipeError, match=f"^{path} cannot be read: TOML: '{path}' is neither a file nor a folder"):
            read_recipe(Path(path))
        with pytest.raises(KineticError, match="recipe"):
            load_recipe(path)
    with pytest.raises(RecipeError, match=r"folder\.toml' is a folder, and must be a file\n  Give a file of TOML"):
        read_recipe(tmp_path / "folder.toml")


def test_a_table_without_a_name_says_which_there_are(recipe):
    with pytest.raises(OptionError, match=r"a solver needs a `name`, one of: .*heun"):
        load_recipe(recipe('[run]\nsamples = 2\n[field]\nname = "gaussian"\n[solver]\nsteps = 3\n'))


def test_a_misspelt_arm_is_named_and_a_new_one_is_set_whole(recipe):
    path = recipe(SMALL)
    with pytest.raises(UnknownNameError, match=r"no arm 'ktss'\. Did you mean 'kts'\?\n.*\n.*set whole: arms\.ktss="):
        load_recipe(path, ["arms.ktss.schedule.beta=0.04"])
    loaded = load_recipe(path, ["arms.slow={solver={steps=9}}", "arms.kts.schedule.beta=0.04"])
    assert loaded.runners["slow"].solver.steps == 9


def test_a_run_folder_is_no_recipe_and_its_report_is_suggested(tmp_path):
    (tmp_path / "recipe.toml").write_text("")
    with pytest.raises(RecipeError, match=f"is a run folder, not a recipe\n  `kinetic report {tmp_path}` shows"):
        load_recipe(tmp_path)


def test_a_folder_called_like_a_shipped_recipe_does_not_hide_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "goldilocks").mkdir()
    assert load_recipe("goldilocks").name == "goldilocks"
    (tmp_path / "else").mkdir()
    with pytest.raises(RecipeError, match="there is no recipe file 'else'"):
        load_recipe("else")
