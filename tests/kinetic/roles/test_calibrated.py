"""Grids that read a density: quantiles by hand, and what is refused."""

import attrs
import pytest
import torch
from kinetic_fields import Gaussian
from kinetic_grids import EqualEnergy, Given, Sharpness
from kinetic_solvers import Euler

import kinetic
from kinetic._roles.calibrated import named, spread
from kinetic._store.provenance import hash_of
from kinetic.errors import MissingFileError, OptionError
from kinetic.testing import check_grid


def written(folder, cls, density="[1, 3]", more=""):
    (folder / "g.toml").write_text(
        f'times = [0, 0.5, 1]\n[calibration]\ngrid = "that"\nclass = "{named(cls)}"\ndensity = {density}\n{more}'
    )
    return str(folder / "g.toml")


def test_each_step_has_the_same_share_of_the_density():
    """Of 1 on the first half and 3 on the second a quarter lies before 1/2, and so one of four steps."""
    assert spread(torch.tensor([1.0, 3.0]).double(), 4) == pytest.approx([0, 1 / 2, 2 / 3, 5 / 6, 1], abs=1e-15)
    assert spread(torch.tensor([7.0, 7.0, 7.0]).double(), 4) == pytest.approx([0, 1 / 4, 1 / 2, 3 / 4, 1], abs=1e-15)


def test_where_the_density_is_0_no_step_ends():
    """The middle third is passed in one step; times rise all the same."""
    times = spread(torch.tensor([1.0, 0.0, 1.0]).double(), 4)
    assert times == pytest.approx([0, 1 / 6, 1 / 3, 5 / 6, 1], abs=1e-12)
    assert spread(torch.tensor([0.0, 1.0]).double(), 1) == [0.0, 1.0]


def test_one_file_serves_any_number_of_steps_and_the_grid_given(tmp_path):
    path = written(tmp_path, Sharpness)
    grid = Sharpness(path=path)
    assert grid.times(4) == pytest.approx([0, 1 / 2, 2 / 3, 5 / 6, 1], abs=1e-15)
    assert Euler(steps=2, grid=grid).times() == pytest.approx([0, 2 / 3, 1], abs=1e-15)
    assert Given(path=path).times(2) == [0, 0.5, 1]
    check_grid(grid)


def test_the_run_keeps_a_hash_of_the_density(tmp_path):
    one = hash_of(Sharpness(path=written(tmp_path, Sharpness)))
    other = hash_of(Sharpness(path=written(tmp_path, Sharpness, "[1, 2]")))
    assert one is not None
    assert one != other


def test_a_file_of_another_grid_is_refused(tmp_path):
    path = written(tmp_path, EqualEnergy)
    with pytest.raises(OptionError, match=r"written for the grid 'that' \(kinetic_grids.equal_energy.EqualEnergy\)"):
        Sharpness(path=path)


@pytest.mark.parametrize(
    "density",
    [
        "[]",
        "[1]",
        "[0, 0]",
        "[1, -1]",
        "[1, nan]",
        "[1, inf]",
        f"[1, 1{'0' * 400}]",
        "[1e308, 1e308]",
        '["a", 1]',
        "[true, 1]",
    ],
)
def test_a_density_that_is_none_is_refused(density, tmp_path):
    with pytest.raises(OptionError, match=r"`density` must be a list of finite numbers >= 0, not all of them 0"):
        Sharpness(path=written(tmp_path, Sharpness, density))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("times = [0, 1]", r"holds no \[calibration\] with a `density`"),
        ("calibration = 3", r"holds no \[calibration\] with a `density`"),
        ("[calibration", "cannot be read as a calibration"),
    ],
)
def test_a_file_that_is_no_calibration_says_what_writes_one(text, said, tmp_path):
    (tmp_path / "g.toml").write_text(text)
    with pytest.raises(OptionError, match=said) as caught:
        Sharpness(path=str(tmp_path / "g.toml"))
    assert "`kinetic calibrate RECIPE --grid NAME --steps N --out FILE` writes one" in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingFileError, match="calibrate"):
        Sharpness(path=str(tmp_path / "g.toml"))


def test_a_grid_of_a_strangers_states_its_density_alone(tmp_path):
    @attrs.frozen(eq=False)
    class Even(kinetic.CalibratedGrid):
        formula = "time"

        @classmethod
        def adds(cls, step):
            return step.dt

    assert Even.density(torch.ones(3)).tolist() == [1, 1, 1]
    assert Even(path=written(tmp_path, Even, "[1, 1]")).times(2) == [0, 0.5, 1]


@pytest.mark.gpu
def test_a_gpu_walks_on_it_too(tmp_path):
    solver = Euler(steps=3, grid=Sharpness(path=written(tmp_path, Sharpness)))
    run = kinetic.Runner(field=Gaussian(), solver=solver).run(2, device="cuda")
    assert run.energy["nfe"].tolist() == [3.0, 3.0]
