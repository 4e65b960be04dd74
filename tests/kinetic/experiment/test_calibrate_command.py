"""A recipe in, a file of times out, and what is refused before any path is walked."""

import tomllib

import pytest
import torch
from kinetic_fields import Gaussian
from kinetic_grids import Given, Sharpness

from kinetic import Runner, load_recipe
from kinetic._experiment.calibrate_command import APART, Walk, calibrate
from kinetic._roles.calibrated import spread
from kinetic._sample.calibrate import measured
from kinetic.errors import OptionError, StoreError, UnknownNameError
from kinetic.testing import check_grid

RECIPE = """
[run]
samples = 4
seed = 5
dtype = "float64"
[field]
name = "gaussian"
std = 0.2
[solver]
name = "euler"
steps = 3
[energy.kpe]
[arms.plain]
[arms.wide.field]
std = 3.0
[arms.kts.schedule]
name = "kts"
alpha = 0.5
"""
WALK = Walk(paths=20, fine=50)


@pytest.fixture
def recipe(tmp_path):
    (tmp_path / "r.toml").write_text(RECIPE)
    return str(tmp_path / "r.toml")


def written(recipe, folder, grid="sharpness", steps=6, walk=WALK, **more):
    times = calibrate(recipe, grid, steps, folder / "g.toml", walk, **more)
    return times, tomllib.loads((folder / "g.toml").read_text())


def test_the_times_are_those_of_the_density_on_other_noise_than_the_runs(recipe, tmp_path):
    times, held = written(recipe, tmp_path)
    runner = load_recipe(recipe).runners["plain"]
    asked = {"seed": 5 + APART, "dtype": torch.float64}
    density = measured(runner, Sharpness, 20, 50, 0.005, **asked)
    assert times == spread(density, 6) == held["times"]
    assert held["calibration"]["density"] == density.tolist()


@pytest.mark.parametrize("grid", ["sharpness", "rotation", "energy", "entropy"])
def test_given_reads_the_file_and_so_does_the_grid_itself_at_any_steps(grid, recipe, tmp_path):
    times, _ = written(recipe, tmp_path, grid, 7)
    path = str(tmp_path / "g.toml")
    assert Given(path=path).times(7) == times
    for name, steps in (("given", 7), (grid, 7), (grid, 3)):
        solver = {"name": "euler", "steps": steps, "grid": {"name": name, "path": path}}
        changes = [f"solver={_inline(solver)}"]
        check_grid(load_recipe(recipe, changes).runners["plain"].solver.grid, [steps])
    assert load_recipe(recipe, [f"solver={_inline(solver)}"]).runners["plain"].run(2).energy["nfe"].tolist() == [3, 3]


def _inline(table):
    return "{" + ", ".join(f"{k} = {_inline(v) if isinstance(v, dict) else repr(v)}" for k, v in table.items()) + "}"


def test_the_file_says_where_it_comes_from(recipe, tmp_path):
    _, held = written(recipe, tmp_path, arm="kts")
    origin = held["calibration"]
    assert origin["grid"] == "sharpness"
    assert origin["class"] == "kinetic_grids.sharpness.Sharpness"
    assert origin["formula"] == "int (mean ||dv/dt||)^(1/2) dt"
    assert (origin["recipe"], origin["arm"], origin["seed"]) == ("r", "kts", 5 + APART)
    assert (origin["paths"], origin["fine"], origin["smoothing"]) == (20, 50, 0.005)
    assert origin["parts"]["field"] == {"name": "gaussian", "size": 2, "mean": 0.0, "std": 0.2}
    assert origin["parts"]["schedule"]["alpha"] == 0.5
    assert origin["packages"]["torch"] == torch.__version__.partition("+")[0]


def test_weights_are_hashed(tmp_path):
    _, held = written("goldilocks", tmp_path, walk=Walk(paths=2, fine=6), arm="memorised")
    assert len(held["calibration"]["weights"]["field"]) == 64


def test_an_arm_has_its_own_grid_and_the_first_is_meant_where_none_is_named(recipe, tmp_path):
    first, plain, wide, shaped = (written(recipe, tmp_path, arm=arm)[0] for arm in (None, "plain", "wide", "kts"))
    assert first == plain
    assert len({tuple(times) for times in (plain, wide, shaped)}) == 3


def test_a_seed_is_taken_at_its_word_and_the_same_again_is_the_same(recipe, tmp_path):
    one, same, other = (written(recipe, tmp_path, walk=Walk(paths=20, fine=50, seed=s))[0] for s in (7, 7, 8))
    assert one == same != other


def test_a_recipe_of_several_seeds_is_calibrated_on_noise_of_none_of_them(recipe, tmp_path):
    _, held = written(recipe, tmp_path, overrides=["run.seeds=3"], arm="wide")
    assert held["calibration"]["arm"] == "wide.seed-5"
    assert held["calibration"]["seed"] == 5 + APART


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"grid": "uniform"}, OptionError, "grid 'uniform' is the same for every field.*\n.*energy, entropy, rotation"),
        ({"grid": "sharpnes"}, UnknownNameError, "no calibrated grid is named 'sharpnes'. Did you mean 'sharpness'?"),
        ({"steps": 0}, OptionError, "'steps' must be an int >= 1 and <= 50: 0"),
        ({"steps": 51}, OptionError, "'steps' must be an int >= 1 and <= 50: 51"),
        ({"arm": "plan"}, UnknownNameError, "there is no arm 'plan'. Did you mean 'plain'?"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(asked, error, said, recipe, tmp_path):
    with pytest.raises(error, match=said):
        written(recipe, tmp_path, **asked)
    assert not (tmp_path / "g.toml").exists()


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("paths", 1, "'paths' must be an int >= 2: 1"),
        ("fine", 2, "'fine' must be an int >= 3"),
        ("smoothing", 0.5, "'smoothing' must be a number >= 0 and < 0.5: 0.5"),
        ("seed", -1, "'seed' must be an int >= 0"),
    ],
)
def test_a_walk_out_of_range_is_refused(option, value, said):
    with pytest.raises(OptionError, match=said):
        Walk(**{option: value})


def test_a_file_that_cannot_be_written_is_refused_first(recipe, tmp_path):
    for out in (tmp_path / "g.txt", tmp_path / "no" / "g.toml", tmp_path):
        with pytest.raises(OptionError, match=r"'out' must be a .toml file in a folder that is there"):
            calibrate(recipe, "sharpness", 3, out, WALK)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    try:
        (closed / "x").write_text("")
    except PermissionError:
        with pytest.raises(StoreError, match="Choose another file with --out"):
            calibrate(recipe, "sharpness", 3, closed / "g.toml", WALK)


def test_a_calibrated_grid_halves_the_error_of_the_uniform_one_where_the_flow_is_sharp(recipe, tmp_path):
    """To N(0, 0.05^2), x1 = 0.05 x0: on noise that it was not calibrated on."""
    times, _ = written(recipe, tmp_path, steps=10, overrides=["field.std=0.05"], arm="plain")
    from kinetic_solvers import Euler

    errors = []
    for grid in (Given(times), "uniform"):
        run = Runner(field=Gaussian(std=0.05), solver=Euler(steps=10, grid=grid)).run(100, dtype=torch.float64)
        errors.append((run.energy["x1_sq"].sqrt() - 0.05 * run.energy["x0_sq"].sqrt()).abs().mean().item())
    assert errors[0] < errors[1] / 2
