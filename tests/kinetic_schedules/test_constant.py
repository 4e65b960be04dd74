import pytest
import torch
from kinetic_energy import KPE
from kinetic_fields import Gaussian
from kinetic_schedules import Constant
from kinetic_solvers import Heun

from kinetic import Runner
from kinetic.errors import OptionError
from kinetic.testing import check_schedule


def test_a_gain_of_one_leaves_the_path_alone_to_the_bit():
    plain, shaped = (
        Runner(field=Gaussian(std=0.5), solver=Heun(steps=9), schedule=schedule, meters={"kpe": KPE()}).run(5)
        for schedule in (None, Constant(1.0))
    )
    assert torch.equal(plain.samples, shaped.samples)
    assert torch.equal(plain.energy["kpe"], shaped.energy["kpe"])
    assert torch.equal(shaped.denoised, shaped.samples)


def test_the_contract_of_a_schedule_is_kept():
    check_schedule(Constant(0.3))


def test_a_negative_gain_is_refused():
    with pytest.raises(OptionError, match="'value' must be a number >= 0: -1"):
        Constant(-1.0)
