import pytest
import torch
from kinetic_schedules import VelocityDeficit

from kinetic.testing import check_schedule


def test_it_is_its_formula():
    check_schedule(VelocityDeficit())
    t = torch.tensor([0.0, 0.5, 1.0])
    assert VelocityDeficit(alpha=0.1, beta=2.0).gain(t, t, t).tolist() == pytest.approx([1.1, 1.025, 1.0])
