"""What all components promise, where a broken one is not a schedule."""

import attrs
import pytest
import torch
from kinetic_fields import Gaussian
from kinetic_metrics import Sharpness
from kinetic_solvers import Euler

import kinetic
from kinetic.testing import CheckError, checks

EVERY = {"frozen", "made_anew", "options_described", "same_again", "random_state", "settings", "options_kept", "device"}


@pytest.mark.parametrize("component", [Gaussian(), Euler(), Sharpness()], ids=lambda each: type(each).__name__)
def test_every_role_is_held_to_what_all_promise(component):
    assert {check.name for check in checks(component)} >= EVERY


def test_a_field_that_draws_noise_is_caught_as_one():
    @attrs.frozen(eq=False)
    class Noisy(kinetic.VelocityField):
        """Noise in every velocity."""

        event_shape = torch.Size([2])

        def velocity(self, x, t, batch=None):
            return -x + 1e-3 * torch.randn_like(x)

    failed = set()
    for check in checks(Noisy()):
        try:
            check()
        except CheckError:
            failed.add(check.name)
    assert {"same_again", "random_state"} <= failed


def test_a_tensor_that_is_kept_in_an_option_goes_to_the_device_with_it():
    @attrs.frozen(eq=False)
    class Shift(kinetic.VelocityField):
        """A shift.

        Args:
            by: how far, `(2,)`.
        """

        by: torch.Tensor
        event_shape = torch.Size([2])

        def velocity(self, x, t, batch=None):
            return self.by.to(x.dtype) - x

    next(check for check in checks(Shift(torch.ones(2))) if check.name == "device").run()
