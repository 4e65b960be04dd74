import attrs
import pytest
import torch
from kinetic_energy import KPE
from kinetic_fields import Empirical, Guided
from kinetic_solvers import RK4, Heun

from kinetic import Batch, Runner, VelocityField


@attrs.frozen(eq=False)
class Labelled(VelocityField):
    """The label where there is one, else -1."""

    @property
    def event_shape(self):
        return torch.Size([2])

    def velocity(self, x, t, batch=None):
        if batch is None or batch.condition is None:
            return torch.full_like(x, -1.0)
        return batch.condition[:, None].to(x).expand_as(x)


def test_guidance_is_the_free_velocity_plus_scale_times_the_difference():
    x, t = torch.zeros(3, 2), torch.zeros(3)
    batch = Batch(torch.arange(3), torch.tensor([2, 5, 9]))
    for scale in (0.0, 1.0, 1.5, 4.0):
        expected = -1 + scale * (batch.condition[:, None].float() + 1).expand(3, 2)
        assert torch.allclose(Guided(Labelled(), scale=scale).velocity(x, t, batch), expected)


def test_without_a_condition_there_is_nothing_to_guide_to():
    x, t = torch.zeros(3, 2), torch.zeros(3)
    assert torch.equal(Guided(Labelled()).velocity(x, t), torch.full((3, 2), -1.0))


@pytest.mark.parametrize("method", [Heun, RK4])
def test_a_guided_closed_form_field_lands_where_the_field_alone_does(method):
    """Without a class to guide by, both sides are one field, at t = 1 too."""
    data = torch.randn(50, 5, dtype=torch.float64)
    runs = [
        Runner(field=field, solver=method(steps=20), meters={"kpe": KPE()}).run(20, dtype=torch.float64, device="cpu")
        for field in (Empirical(data), Guided(Empirical(data), 3.0))
    ]
    assert (runs[0].samples - runs[1].samples).abs().max() < 1e-9
    assert torch.allclose(runs[0].energy["kpe"], runs[1].energy["kpe"], rtol=1e-9)
