"""A use of each role gives answers of it."""

import pytest
import torch
from kinetic_digits import Digits
from kinetic_energy import KPE
from kinetic_features import Pixels
from kinetic_fields import Gaussian
from kinetic_grids import Uniform
from kinetic_metrics import Sharpness
from kinetic_schedules import Constant
from kinetic_solvers import Euler

import kinetic
from kinetic._plugins.registry import role_of
from kinetic.testing.check import Allowances
from kinetic.testing.exercise import CPU, USES


def test_there_is_one_of_every_role():
    assert set(USES) == set(kinetic.registry().classes)


@pytest.mark.parametrize(
    "component",
    [Gaussian(), Euler(steps=3), Uniform(), Constant(0.5), KPE(), Sharpness(), Pixels(), Digits(size=8)],
    ids=lambda each: type(each).__name__,
)
def test_what_a_component_answers_is_finite(component):
    answers = USES[role_of(type(component))](component, Allowances(), CPU)
    assert answers
    assert all(bool(torch.isfinite(answer.double()).all()) for answer in answers)
