"""Loops by hand, weighed as the Runner weighs its own."""

import pytest
import torch
from kinetic_energy import KPE, Path
from kinetic_fields import Gaussian
from kinetic_schedules import KTS
from kinetic_solvers import Euler, Heun
from torch import nn

from kinetic import Ledger, Runner, metered
from kinetic._sample.noise import noise
from kinetic.errors import OptionError, ShapeError

FIELD = Gaussian(size=4, mean=1.0, std=0.5)
METERS = {"kpe": KPE(), "path": Path()}
HALF = torch.tensor(0.5)


class Net(nn.Module):
    """The velocity of the Gaussian flow, time 0 at the noise or at the data, times up to `scale`."""

    def __init__(self, zero="noise", scale=1.0):
        super().__init__()
        self.zero, self.scale = zero, scale

    def forward(self, x, t):
        s = (t / self.scale).expand(len(x)).double()
        return FIELD.velocity(x, s) if self.zero == "noise" else -FIELD.velocity(x, 1 - s)


def ran(solver, **more):
    return Runner(FIELD, solver, meters=METERS, **more).run(5, dtype=torch.float64)


def start():
    return noise(0, range(5), (4,), torch.float64)


@pytest.mark.parametrize("scale", [1.0, 1000.0])
@pytest.mark.parametrize("zero", ["noise", "data"])
def test_an_euler_loop_by_hand_has_the_energies_of_the_runner(zero, scale):
    net, x, n = Net(zero, scale), start(), 8
    with metered(net, METERS, zero=zero, scale=scale) as meter:
        for k in range(n):
            if zero == "noise":
                x = x + net(x, torch.tensor(scale * k / n)) / n
            else:
                x = x - net(x, torch.tensor(scale * (1 - k / n))) / n
    run = ran(Euler(steps=n))
    assert torch.allclose(x, run.samples)
    for name in ("kpe", "bending", "displacement", "early", "length", "tortuosity"):
        assert torch.allclose(meter.energy[name], run.energy[name], rtol=1e-6), name
    assert not net._forward_hooks


def test_arguments_are_found_by_keyword():
    net, x = Net(), start()
    with metered(net, METERS, zero="noise", x="x", t="t") as meter:
        for k in range(4):
            x = x + net(t=torch.tensor(k / 4), x=x) / 4
    assert torch.allclose(meter.energy["kpe"], ran(Euler(steps=4)).energy["kpe"], rtol=1e-6)


def test_a_step_of_several_velocities_is_told_to_a_ledger():
    x, n, kts = start(), 6, KTS(alpha=0.2, beta=0.04)
    ledger = Ledger(METERS, x, kts)

    def shaped(x, t):
        at = torch.full((5,), t, dtype=torch.float64)
        v = FIELD.velocity(x, at)
        return v * kts.gain(at, x, v)[:, None]

    for k in range(n):
        t0, t1 = k / n, (k + 1) / n
        one = shaped(x, t0)
        two = shaped(x + one / n, t1)
        following = x + (one + two) / (2 * n)
        ledger.add(t0, t1, x, following, [(t0, one, 0.5), (t1, two, 0.5)])
        x = following
    run = ran(Heun(steps=n), schedule=kts)
    for name in ("kpe", "bending", "length", "gain"):
        assert torch.allclose(ledger.columns()[name], run.energy[name], rtol=1e-9), name


def test_what_cannot_be_a_path_is_named():
    x = torch.zeros(2, 3)
    ledger = Ledger(METERS, x)
    for t0, t1, stages in ((0.5, 0.5, [(0.5, x, 1.0)]), (0.0, 1.1, [(0.0, x, 1.0)]), (0.0, 1.0, [(0.0, x, 0.5)])):
        with pytest.raises(OptionError, match="a step leads from t0 to a later t1"):
            ledger.add(t0, t1, x, x, stages)
    with pytest.raises(ShapeError, match=r"paths of shape \(2, 3\) was told \(1, 3\)"):
        ledger.add(0.0, 1.0, x[:1], x, [(0.0, x, 1.0)])
    with pytest.raises(OptionError, match="'zero' must be"), metered(Net(), METERS, zero="time"):
        pass
    with pytest.raises(OptionError, match="was called without the argument 'timestep'"):
        ask(t="timestep")
    with pytest.raises(OptionError, match=r"times must lie in \[0, 1\]: 500 after division by scale = 1"):
        ask(torch.tensor(500.0))
    with pytest.raises(OptionError, match="several times in one call"):
        ask(torch.tensor([0.1, 0.2]))


def ask(time=HALF, **more):
    net = Net()
    with metered(net, METERS, zero="noise", **more):
        net(torch.zeros(2, 4, dtype=torch.float64), time)


def test_an_answer_that_is_no_velocity_is_named():
    net = nn.Bilinear(3, 3, 2)
    words = r"Bilinear answered x of shape \(4, 3\) with \(4, 2\)"
    with pytest.raises(ShapeError, match=words), metered(net, METERS, zero="noise"):
        net(torch.zeros(4, 3), torch.zeros(4, 3))
    assert not net._forward_hooks


def test_a_loop_that_does_not_call_the_net_has_no_energy():
    with metered(Net(), METERS, zero="noise") as meter:
        pass
    assert meter.energy == {}
