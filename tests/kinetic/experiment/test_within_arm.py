import numpy as np
import torch

from kinetic import Column, Run
from kinetic._experiment.within_arm import classes, energies

N = 6


def run(condition=None):
    columns = {name: torch.arange(N, dtype=torch.float64) for name in ("mine", "x0_sq", "gain", "curve", "endless")}
    columns["curve"] = torch.zeros(N, 3)
    columns["endless"] = columns["endless"] / 0
    kinds = dict.fromkeys(columns, "energy") | {"gain": "label"}
    described = {name: Column(name, kind=kind) for name, kind in kinds.items()}
    return Run(torch.zeros(N, 2), torch.zeros(N, 2), columns, {}, condition, described)


def test_norms_settings_curves_and_what_is_not_finite_are_no_energies():
    assert [*energies(run(), np.ones(N, bool))] == ["mine"]


def test_classes_are_those_of_the_samples_that_are_kept():
    keep = np.array([True, False] * 3)
    assert classes(run(torch.arange(N)), keep).tolist() == [0, 2, 4]
    assert classes(run(), keep) is None
