import attrs
import pytest
import torch
from kinetic_schedules import KTS, Constant
from kinetic_schedules.for_some import ForSome

from kinetic.testing import check_schedule


@attrs.frozen(eq=False)
class ToTheRight(ForSome):
    """Half of the gain for samples whose first coordinate is above 0."""

    def share(self, t, x, v):
        return 0.5 * (x.flatten(1)[:, 0] > 0).float()


def test_a_sample_gets_its_share_of_the_gain_and_the_others_are_left_alone():
    x = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    gain = ToTheRight(Constant(0.8)).gain(torch.tensor([0.2, 0.2], dtype=torch.float64), x, x)
    assert gain.tolist() == pytest.approx([0.9, 1.0])
    assert gain.dtype == torch.float64


def test_it_is_smooth_where_the_other_schedule_is_and_looks_at_samples():
    schedule = ToTheRight(KTS())
    assert schedule.breakpoints == KTS().breakpoints
    assert schedule.adaptive
    check_schedule(schedule)
