import attrs
import torch
from kinetic_fields import Guided

from kinetic import Batch, VelocityField


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
