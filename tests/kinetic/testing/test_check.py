"""A check by itself: its name, what it says, and what is expected to fail."""

import attrs
import pytest
import torch

import kinetic
from kinetic import testing
from kinetic.errors import KineticError, OptionError, UnknownNameError
from kinetic.testing import CheckError


@attrs.frozen(eq=False)
class Negative(kinetic.Schedule):
    """A gain below 0."""

    breakpoints = ()

    def gain(self, t, x, v):
        return t - 0.5


@attrs.frozen(eq=False)
class Raising(kinetic.Schedule):
    """A gain that is none."""

    breakpoints = ()

    def gain(self, t, x, v):
        raise ZeroDivisionError("of something")


def named(component, name, **given):
    return next(check for check in testing.checks(component, **given) if check.name == name)


@pytest.mark.parametrize(
    "check", testing.checks(Negative(), expected={"not_negative": "it is the fault that is tested for"}), ids=str
)
def test_one_line_of_pytest_runs_them_all(check):
    check()


def test_a_failure_says_what_was_expected_what_came_and_how_it_is_mended():
    with pytest.raises(CheckError, match=r"Negative has gains of 0 or more: the least is -0\.5\n  Refuse the options"):
        named(Negative(), "not_negative").run()
    assert issubclass(CheckError, AssertionError)
    assert issubclass(CheckError, KineticError)


def test_an_error_of_the_component_is_a_failure_that_names_the_line():
    with pytest.raises(
        CheckError, match=r"it raised ZeroDivisionError: of something\n  Look at .*test_check\.py, line"
    ):
        named(Raising(), "shape").run()


def test_a_failure_that_is_expected_and_does_not_come_is_one():
    with pytest.raises(CheckError, match=r"breaks 'shape', as expected \(a reason\): it keeps it"):
        named(Negative(), "shape", expected={"shape": "a reason"}).run()


def test_expected_names_and_allowances_must_be_known():
    with pytest.raises(UnknownNameError, match=r"no check of a schedule named 'shap'. Did you mean 'shape'"):
        testing.checks(Negative(), expected={"shap": "a reason"})
    with pytest.raises(OptionError, match="take no 'colour'; they take condition, tolerance"):
        testing.checks(Negative(), colour=1)


def test_a_check_has_a_name_and_a_promise_of_one_sentence():
    for role in ("field", "solver", "grid", "schedule", "meter", "metric", "features", "dataset", "every"):
        promised = testing.promises(role)
        assert promised
        for name, promise in promised.items():
            assert name.islower()
            assert promise.endswith(".")
            assert ". " not in promise, promise


def test_checks_leave_random_numbers_and_settings_as_they_were():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    for check in testing.checks(Negative(), expected={"not_negative": "known"}):
        check()
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("role", ["field", "solver", "grid", "schedule", "meter", "metric", "features", "dataset"])
def test_a_component_of_another_role_is_refused_by_the_check_of_a_role(role):
    other = kinetic.registry().get(
        "grid" if role != "grid" else "schedule", "uniform" if role != "grid" else "constant"
    )
    component = other() if role != "grid" else other(1.0)
    with pytest.raises(CheckError, match="Subclass kinetic"):
        getattr(testing, f"check_{role}")(component)


def test_a_network_in_float32_is_asked_in_float32():
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(3, 3)

        def forward(self, x):
            return self.layer(x)

    @attrs.frozen(eq=False)
    class Field(kinetic.VelocityField):
        """A field of a net.

        Args:
            net: the net.
        """

        net: torch.nn.Module
        event_shape = torch.Size([3])

        def velocity(self, x, t, batch=None):
            return (self.net(x) * t[:, None]).to(x.dtype)

    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        testing.check_field(Field(Net().to(dtype).eval()), tolerance=0.05 if dtype == torch.bfloat16 else None)
