"""The density of a calibrated grid, on paths that are known."""

import itertools

import attrs
import pytest
import torch
from kinetic_fields import Gaussian
from kinetic_grids import EqualEnergy, Rotation, Sharpness
from kinetic_schedules import KTS, Constant
from kinetic_solvers import Euler

import kinetic
from kinetic import CalibratedGrid, Runner
from kinetic._sample.calibrate import ShortSteps, measured, smoothed
from kinetic.errors import OptionError
from kinetic.testing import check_solver


@attrs.frozen(eq=False)
class Straight(kinetic.VelocityField):
    """Every sample moves by the same velocity for ever."""

    event_shape = torch.Size([2])

    def velocity(self, x, t, batch=None):
        return torch.ones_like(x)


@attrs.frozen(eq=False)
class Short(kinetic.FieldWrapper):
    """A field that stops at 0.8."""

    t_end = 0.8

    def velocity(self, x, t, batch=None):
        return self.field.velocity(x, t, batch)


@attrs.frozen(eq=False)
class Broken(kinetic.FieldWrapper):
    """Not a number for samples that begin on the left."""

    def velocity(self, x, t, batch=None):
        v = self.field.velocity(x, t, batch)
        return torch.where((x[:, :1] < 0) & (t[:, None] > 0.5), torch.nan, v)


@attrs.frozen(eq=False)
class When(CalibratedGrid):
    """The density is the time at which a step begins."""

    formula = "int t dt"

    @classmethod
    def adds(cls, step):
        assert all(len(stage.t) == len(step.dt) for stage in step.stages)
        return step.t0


def density(grid, field=None, schedule=None, **asked):
    asked = {"paths": 16, "fine": 40, "smoothing": 0.0, "seed": 0, "dtype": torch.float64} | asked
    return measured(Runner(field=field or Gaussian(std=2.0), solver=Euler(steps=1), schedule=schedule), grid, **asked)


def test_what_a_step_counts_stands_on_its_interval_and_the_mean_is_1():
    expected = torch.arange(40, dtype=torch.float64) / 40
    assert density(When).tolist() == pytest.approx((expected / expected.mean()).tolist())


def test_batches_do_not_change_a_density():
    assert torch.allclose(density(Sharpness, batch=5), density(Sharpness, batch=16), rtol=1e-14)


def test_the_gain_of_a_schedule_is_part_of_the_velocity():
    """A constant gain changes the path it is measured on; a gain that falls spreads energy to the front."""
    plain, shaped = density(EqualEnergy, Straight()), density(EqualEnergy, Straight(), KTS(alpha=1.0))
    assert plain.tolist() == pytest.approx([1.0] * 40)
    assert shaped[0] > 2 * shaped[30]
    assert density(EqualEnergy, Straight(), Constant(value=0.5)).tolist() == pytest.approx([1.0] * 40)


def test_paths_that_are_not_finite_are_left_out_and_it_is_said():
    notes = []
    assert density(Sharpness, Broken(Gaussian(std=2.0)), remark=notes.append).isfinite().all()
    assert any("not finite" in note for note in notes)
    quiet = []
    density(Sharpness, remark=quiet.append)
    assert quiet == []


def test_a_field_whose_paths_are_straight_at_one_speed_has_no_sharpness_and_no_rotation():
    for grid in (Sharpness, Rotation):
        with pytest.raises(OptionError, match=f"{grid.__name__}: the density along these paths must be .* not all"):
            density(grid, Straight())


def test_a_field_that_stops_short_is_refused():
    with pytest.raises(OptionError, match=r"Short stops at t = 0.8, where its velocity breaks off"):
        density(Sharpness, Short(Gaussian()))


def test_too_few_short_steps_are_refused():
    with pytest.raises(OptionError, match="'fine' must be an int >= 3: 2"):
        density(Sharpness, fine=2)


def test_smoothing_keeps_the_whole_and_a_constant_and_spreads_a_peak_as_a_gaussian():
    peak = torch.zeros(101, dtype=torch.float64)
    peak[50] = 1.0
    wide = smoothed(peak, 3.0)
    assert wide.sum().item() == pytest.approx(1.0)
    assert (wide[53] / wide[50]).item() == pytest.approx(torch.tensor(-0.5).exp().item(), rel=1e-6)
    assert smoothed(torch.ones(9).double(), 2.0).tolist() == pytest.approx([1.0] * 9)
    assert smoothed(peak, 0.0) is peak


def test_at_the_ends_the_density_is_mirrored():
    edge = torch.zeros(50, dtype=torch.float64)
    edge[0] = 1.0
    assert smoothed(edge, 2.0).sum().item() == pytest.approx(1.0)


def test_short_steps_are_eulers_with_the_velocity_at_the_end_of_each():
    check_solver(ShortSteps(8))
    asked = []

    def velocity(x, t, rows):
        asked.append(float(t[0]))
        return -x

    x0 = torch.tensor([[1.0, 2.0]], dtype=torch.float64)
    steps, euler = list(ShortSteps(4).solve(velocity, x0)), list(Euler(steps=4).solve(lambda x, t, rows: -x, x0))
    assert asked == [0, 0.25, 0.5, 0.75]
    for step, other in zip(steps, euler, strict=True):
        assert torch.equal(step.x1, other.x1)
        assert [stage.weight for stage in step.stages] == [1.0, 0.0]
    for step, after in itertools.pairwise(steps):
        assert torch.equal(step.stages[1].v, after.stages[0].v)
    assert torch.equal(steps[-1].stages[1].v, steps[-1].stages[0].v)
