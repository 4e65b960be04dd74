import torch
from kinetic_energy import GuidanceEnergy
from kinetic_fields import Gaussian
from kinetic_solvers import Euler

from kinetic import Runner


def test_a_field_that_is_not_guided_has_no_parts_and_says_so():
    run = Runner(Gaussian(size=2), Euler(steps=3), meters={"g": GuidanceEnergy()}).run(3)
    assert run.energy["kpe_apart"].isnan().all()
    assert any("kpe_apart is not finite" in note for note in run.notes)
    assert torch.equal(run.samples, Runner(Gaussian(size=2), Euler(steps=3)).run(3).samples)
