"""Against the angle between velocities of a flow that is known."""

import attrs
import pytest
import torch
from kinetic_fields import Gaussian
from kinetic_grids import Rotation
from kinetic_solvers import Euler

import kinetic
from kinetic import Runner
from kinetic._roles.calibrated import spread
from kinetic._sample.calibrate import measured
from kinetic._sample.noise import noise


@attrs.frozen(eq=False)
class Turning(kinetic.VelocityField):
    """A velocity of growing length, whose direction turns by the angle 2 t^2, for every sample."""

    event_shape = torch.Size([2])

    def velocity(self, x, t, batch=None):
        angle = 2 * t.double() ** 2
        return (torch.stack([angle.cos(), angle.sin()], 1) * (1 + 5 * t[:, None])).to(x.dtype)


def calibrated(field, steps, fine=400, paths=50):
    runner = Runner(field=field, solver=Euler(steps=1))
    asked = {"paths": paths, "fine": fine, "smoothing": 0.0, "seed": 3, "dtype": torch.float64}
    return spread(measured(runner, Rotation, **asked), steps)


def test_the_velocity_turns_by_the_same_angle_in_each_step():
    """2 t^2 is k/N of 2 at t = sqrt(k/N), whatever the speed."""
    times = calibrated(Turning(), 8)
    assert times == pytest.approx([(k / 8) ** 0.5 for k in range(9)], abs=3e-3)


def test_of_a_gaussian_flow_it_is_the_mean_angle_of_the_paths():
    """v(t) = mean + s'(t) x0 along the exact path; its turn to each time is summed over the same noise."""
    mean, std, k = 1.0, 2.0, 4000
    x0 = noise(3, range(50), (2,), torch.float64)
    t = torch.arange(k + 1, dtype=torch.float64) / k
    slope = (t * std**2 - (1 - t)) / ((1 - t) ** 2 + (std * t) ** 2).sqrt()
    v = mean + slope[:, None, None] * x0
    direction = v / v.norm(dim=2, keepdim=True)
    angle = torch.acos((direction[1:] * direction[:-1]).sum(2).clamp(-1, 1)).mean(1)
    assert calibrated(Gaussian(mean=mean, std=std), 6, fine=1000) == pytest.approx(spread(angle, 6), abs=5e-3)


def test_a_change_of_speed_alone_counts_nothing_and_a_turn_about_counts_half_a_circle():
    """To N(0, 4 I) every path goes back to the origin, turns about at t = 1/5, and goes on along its own line."""
    times = calibrated(Gaussian(std=2.0), 2, fine=400)
    assert times[1] == pytest.approx(1 / 5, abs=1 / 200)
