import attrs
import pytest
import torch
from kinetic_energy import KPE, GuidanceEnergy
from kinetic_fields import Autoguided, Gaussian
from kinetic_solvers import Euler

from kinetic import Batch, Runner, VelocityField
from kinetic.errors import ShapeError

GOOD, WEAK = Gaussian(size=3, mean=1.0, std=0.5), Gaussian(size=3, mean=0.5, std=0.8)


def test_it_leads_away_from_the_weaker_field_with_and_without_a_batch():
    x, t = torch.randn(4, 3), torch.rand(4)
    good, weak = GOOD.velocity(x, t), WEAK.velocity(x, t)
    for batch in (None, Batch(torch.arange(4))):
        v = Autoguided(GOOD, WEAK, scale=2.0).velocity(x, t, batch)
        assert torch.allclose(v, weak + 2 * (good - weak), atol=1e-6)


def test_its_parts_add_up_and_both_fields_are_counted():
    meters = {"kpe": KPE(), "guidance": GuidanceEnergy()}
    e = Runner(Autoguided(GOOD, WEAK, scale=2.0), Euler(steps=8), meters=meters).run(5, dtype=torch.float64).energy
    assert torch.allclose(e["kpe_unconditional"] + 4 * e["kpe_apart"] + e["guidance_work"], e["kpe"], rtol=1e-12)
    assert torch.equal(e["rows"], 2 * e["nfe"])


def test_a_weak_field_that_stops_short_is_asked_at_its_end_and_leaves_no_noise():
    @attrs.frozen(eq=False)
    class Short(VelocityField):
        event_shape, t_end = torch.Size([3]), 0.75

        def velocity(self, x, t, batch=None):
            return WEAK.velocity(x, t) * (t <= self.t_end)[:, None]

    field = Autoguided(GOOD, Short(), scale=2.0)
    assert (field.t_end, field.breakpoints) == (1.0, (0.75,))
    x, t = torch.randn(2, 3), torch.full((2,), 0.9)
    weak = WEAK.velocity(x, torch.full((2,), 0.75))
    assert torch.allclose(field.velocity(x, t), weak + 2 * (GOOD.velocity(x, t) - weak), atol=1e-6)
    assert "noise_left" not in Runner(field, Euler(steps=8)).run(3).energy


def test_fields_of_two_shapes_are_refused():
    with pytest.raises(ShapeError, match=r"'field' moves samples of shape \(3,\), 'weak' of shape \(2,\)"):
        Autoguided(GOOD, Gaussian(size=2))
