import pytest
import torch
from kinetic_energy import KPE
from kinetic_models import CONVENTIONS, ModuleField
from kinetic_solvers import Euler

from kinetic import Batch, Runner
from kinetic._sample.noise import noise

SIZE = 3


def field(net, **more):
    return ModuleField(module=net, shape=[SIZE], **more)


@pytest.mark.parametrize("name", sorted(CONVENTIONS))
def test_every_convention_is_complete_and_is_called_as_it_says(name):
    asked = {}

    def net(*args, **keywords):
        asked["args"], asked["keywords"] = args, keywords
        x = next(value for value in (*args, *keywords.values()) if value is not None and value.dim() == 2)
        answer = torch.cat([x, x], 1) if name == "dit" else x
        return (answer, "features") if name == "repa" else answer

    more = {"channels": SIZE} if name == "dit" else {}
    more |= {"classes": 4} if name == "edm" else {}
    f = field(net, convention=name, **more)
    known = CONVENTIONS[name].get("classes") or more.get("classes")
    batch = Batch(torch.arange(2), torch.tensor([1, 3])) if known else None
    v = f.velocity(torch.randn(2, SIZE), torch.full((2,), 0.5), batch)
    assert v.shape == (2, SIZE)
    shapes = [tuple(value.shape) for value in (*asked["args"], *asked["keywords"].values())]
    expected = {
        "torchcfm": [(2,), (2, SIZE)],
        "flow-matching": [(2, SIZE), ()],
        "meanflow": [(2, SIZE), (2,), (2,), (2,)],
        "edm": [(2, SIZE), (2,), (2, 4)],
    }.get(name, [(2, SIZE), (2,), (2,)])
    assert shapes == expected
    assert list(asked["keywords"]) == (["x", "t"] if name == "flow-matching" else [])


class StandIn(torch.nn.Module):
    """A network with the arguments of SiT, REPA, RAE, JiT and MeanFlow: x, t, (a second time,) labels."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.inner, self.classes = torch.nn.Linear(SIZE + 1, SIZE), torch.nn.Embedding(1001, SIZE)

    def forward(self, x, t, *more):
        assert t.shape == (len(x),)
        assert all(bool((second == 0).all()) for second in more[:-1])  # MeanFlow: t - r = 0
        return self.inner(torch.cat([x, t[:, None]], 1)) + self.classes(more[-1])


def by_hand(name, net, x, labels, steps):
    """The Euler samplers of the repositories, and the energy summed by hand."""
    kpe = 0.0
    for k in range(steps):
        t, dt = k / steps, 1 / steps
        if name in ("repa", "rae", "meanflow"):  # from t = 1 to 0: x + (t_next - t) v
            v = -net(x, torch.full((len(x),), 1 - t), *([torch.zeros(len(x))] if name == "meanflow" else []), labels)
        else:
            v = net(x, torch.full((len(x),), t), labels)
            v = (v - x) / max(1 - t, 0.05) if name == "jit" else v
        x, kpe = x + dt * v, kpe + dt * 0.5 * v.double().square().sum(1)
    return x, kpe


@pytest.mark.parametrize("name", ["sit", "repa", "rae", "jit", "meanflow"])
def test_samples_and_energies_are_those_of_the_repositorys_own_sampler(name):
    net = StandIn().eval().requires_grad_(False)
    called = (lambda *given: (net(*given), "features")) if name == "repa" else net
    run = Runner(field(called, convention=name), Euler(steps=10), meters={"kpe": KPE()}).run(6, classes=1000)
    x, kpe = by_hand(name, net, noise(0, range(6), (SIZE,)), torch.arange(6), 10)
    assert torch.allclose(run.samples, x, atol=1e-6)
    assert torch.allclose(run.energy["kpe"], kpe, rtol=1e-5)
