"""Networks that are compiled, and images whose channels lie last in memory."""

import attrs
import pytest
import torch
from kinetic_energy import KPE
from kinetic_solvers import Euler
from torch import nn

from kinetic import Runner, VelocityField


@attrs.frozen(eq=False)
class Images(VelocityField):
    net: nn.Module
    last: bool = False
    event_shape = torch.Size([3, 4, 4])

    def start(self, z, batch=None):
        return z.to(memory_format=torch.channels_last) if self.last else z

    def velocity(self, x, t, batch=None):
        return self.net(x) * (1 - 2 * t.view(-1, 1, 1, 1))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return nn.Conv2d(3, 3, 3, padding=1).eval().requires_grad_(False)


def run(field):
    return Runner(field, Euler(steps=4), meters={"kpe": KPE()}).run(5, device="cpu")


@pytest.mark.filterwarnings("ignore")
def test_a_compiled_network_gives_the_samples_and_energies_of_the_network(net):
    plain, compiled = run(Images(net)), run(Images(torch.compile(net, backend="eager")))
    assert torch.allclose(plain.samples, compiled.samples, atol=1e-6)
    assert torch.allclose(plain.energy["kpe"], compiled.energy["kpe"], rtol=1e-6)


def test_channels_that_lie_last_in_memory_change_nothing_but_the_last_digits(net):
    plain, last = run(Images(net)), run(Images(net.to(memory_format=torch.channels_last), last=True))
    assert torch.allclose(plain.samples, last.samples, atol=1e-5)
    assert torch.allclose(plain.energy["kpe"], last.energy["kpe"], rtol=1e-5)
