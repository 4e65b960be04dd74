"""Loops of one's own, weighed by watching the network they ask, against the Runner on the same grid."""

from collections import namedtuple

import pytest
import torch
from kinetic_energy import KPE
from kinetic_schedules import KTS, Constant, EnergyClamp
from kinetic_solvers import Euler
from torch import nn

import kinetic
from kinetic.errors import OptionError, ShapeError

SHAPING = KTS(alpha=0.05, beta=0.04)
METERS = {"kpe": KPE()}
X0 = torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
Answer = namedtuple("Answer", ["features", "velocity"])


def v(x, t):
    """A velocity that bends."""
    return torch.sin(2 * x) - (1 + t) * x


class Field(kinetic.VelocityField):
    event_shape = torch.Size([3])

    def velocity(self, x, t, batch=None):
        return v(x, t[:, None])


class Plain(nn.Module):
    def forward(self, x, t):
        return v(x, t)


class TimeFirst(nn.Module):
    """torchcfm's order, times up to 1000, t = 0 at the data, a named tuple back."""

    def forward(self, t, x, y=None):
        return Answer(None, -v(x, 1 - t / 1000))


class Keywords(nn.Module):
    def forward(self, **given):
        return [v(given["x"], given["t"][:, None]), None]


def euler(ask, n=10, x=X0):
    for i in range(n):
        x = x + ask(x, i / n) / n
    return x


LOOPS = {
    "plain": (Plain(), {}, lambda net: lambda x, t: net(x, torch.tensor(t))),
    "by_name": (Plain(), {"x": "x", "t": "t"}, lambda net: lambda x, t: net(x, t=t)),
    "time_first": (
        TimeFirst(),
        {"x": 1, "t": 0, "zero": "data", "scale": 1000, "output": 1},
        lambda net: lambda x, t: -net(1000 * (1 - t), x).velocity,
    ),
    "time_first_by_name": (
        TimeFirst(),
        {"x": "x", "t": "t", "zero": "data", "scale": 1000.0, "output": 1},
        lambda net: lambda x, t: -net(1000 * (1 - t), x).velocity,
    ),
    "keywords": (
        Keywords(),
        {"x": "x", "t": "t", "output": 0},
        lambda net: lambda x, t: net(x=x, t=torch.full((len(x),), t, dtype=x.dtype))[0],
    ),
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("schedule", [None, SHAPING])
def test_an_euler_loop_is_weighed_as_the_runner_weighs_its_field(loop, schedule):
    net, declared, asking = LOOPS[loop]
    with kinetic.metered(net, METERS, schedule=schedule, **{"zero": "noise"} | declared) as meter:
        x1 = euler(asking(net))
    run = kinetic.Runner(field=Field(), solver=Euler(steps=10), schedule=schedule, meters=METERS).run(
        6, start=X0, dtype=torch.float64, device="cpu"
    )
    assert torch.allclose(x1, run.samples, rtol=1e-12)
    for name in ("kpe", "displacement", "bending", "early", "late", "nfe", "x0_sq", "x0_dot_x1", "x1_sq"):
        assert torch.allclose(meter.energy[name], run.energy[name], rtol=1e-6, atol=1e-9), name
    assert meter.energy["edits"].tolist() == [0.0] * 6
    assert meter.notes == ()
    assert not net._forward_hooks


def test_answers_are_the_same_bit_for_bit_without_a_gain_and_with_a_gain_of_one():
    net = Plain()
    plain = euler(net)
    for schedule in (None, Constant(1.0)):
        with kinetic.metered(net, METERS, zero="noise", schedule=schedule):
            assert torch.equal(euler(net), plain)


def test_a_gain_of_nought_moves_nothing():
    net = Plain()
    with kinetic.metered(net, METERS, zero="noise", schedule=Constant(0.0)) as meter:
        assert torch.equal(euler(net), X0)
    assert meter.energy["kpe"].tolist() == [0.0] * 6
    assert meter.energy["gain"].tolist() == [0.0] * 6


def test_a_gain_that_looks_at_the_velocity_is_the_one_that_was_applied():
    net, clamp = Plain(), EnergyClamp(low=[0.5], high=[1.0])
    run = kinetic.Runner(Field(), Euler(steps=10), clamp, METERS).run(6, dtype=torch.float64)
    x0 = kinetic.Runner(Field(), Euler(steps=10), Constant(0.0)).run(6, dtype=torch.float64).samples
    with kinetic.metered(net, METERS, zero="noise", schedule=clamp) as meter:
        euler(net, 10, x0)
    assert torch.allclose(meter.energy["gain"], run.energy["gain"])
    assert (meter.energy["gain"] - 1).abs().max() > 0.1


def test_each_pass_from_noise_to_data_is_a_path():
    net = Plain()
    with kinetic.metered(net, METERS, zero="noise") as meter:
        euler(net, 5)
        euler(net, 10)
        euler(net, 10, X0[:2])
    assert meter.energy["path"].tolist() == [0.0] * 6 + [1.0] * 6 + [2.0] * 2
    assert torch.allclose(meter.energy["kpe"][6:8], meter.energy["kpe"][12:], rtol=1e-12)


def test_a_loop_that_stops_early_says_where():
    net, x = Plain(), X0
    with kinetic.metered(net, METERS, zero="noise", t_end=0.5) as meter:
        for i in range(5):
            x = x + net(x, i / 10) / 10
    assert meter.energy["t_end"].tolist() == [0.5] * 6
    assert torch.allclose(meter.energy["displacement"], (x - X0).square().sum(1))
    assert "stop at t = 0.5" in " ".join(meter.notes)


def test_a_loop_by_another_rule_is_counted_as_edits_and_a_note_says_which_way_to_go():
    net, x = Plain(), X0
    with kinetic.metered(net, METERS, zero="noise") as meter:
        for i in range(10):  # midpoint
            x = x + net(x + net(x, i / 10) / 20, (i + 0.5) / 10) / 10
    assert meter.energy["edits"].tolist() == [9.0] * 6
    assert bool(meter.energy["bending"].isnan().all())
    assert "meter.add(t0, t1, x0, x1, v)" in " ".join(meter.notes)


def test_a_network_asked_twice_at_one_time_is_refused():
    net = Plain()
    with kinetic.metered(net, METERS, zero="noise"):
        net(X0, 0.0)
        with pytest.raises(OptionError, match="asked twice at t = 0"):
            net(X0, 0.0)
    assert not net._forward_hooks


def test_without_a_module_steps_are_said_by_hand():
    with kinetic.metered(meters=METERS) as meter:
        meter.add(0.0, 1.0, X0, X0 + 1, torch.ones_like(X0))
    assert meter.energy["kpe"].tolist() == pytest.approx([1.5] * 6)


def test_gradients_still_flow_to_the_loop():
    net, x = Plain(), X0.clone().requires_grad_()
    with kinetic.metered(net, METERS, zero="noise", schedule=Constant(0.5)) as meter:
        euler(net, x=x).sum().backward()
    assert x.grad is not None
    assert not meter.energy["kpe"].requires_grad


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_rounds_states_and_is_no_edit(dtype):
    net = Plain()
    with kinetic.metered(net, METERS, zero="noise") as meter:
        euler(net, x=X0.to(dtype))
    with kinetic.metered(net, METERS, zero="noise") as exact:
        euler(net)
    assert torch.allclose(meter.energy["kpe"], exact.energy["kpe"], rtol=0.1)
    assert meter.energy["edits"].tolist() == [0.0] * 6


REFUSED = [
    ({"zero": "middle"}, OptionError, "'zero' must be one of 'noise', 'data': 'middle'"),
    ({"zero": None}, OptionError, "'zero' must be one of 'noise', 'data': None"),
    ({"scale": 0}, OptionError, "'scale' must be"),
    ({"x": 1.5}, OptionError, "'x' must be the index or the name"),
    ({"output": -1}, OptionError, "'output' must be"),
    ({"t_end": 1.5}, OptionError, "'t_end' must be a number > 0 and <= 1: 1.5"),
    ({"x": 1, "t": 0}, OptionError, "x = 1 holds float, not a batch of states"),
    ({"x": "z"}, OptionError, "called without the argument 'z'"),
    ({"t": 2}, OptionError, "called without the argument 2"),
    ({"scale": 0.1}, OptionError, "times run from 0 to 1"),
]


@pytest.mark.parametrize(("options", "error", "words"), REFUSED)
def test_what_is_declared_wrongly_is_refused(options, error, words):
    net = Plain()
    with pytest.raises(error, match=words), kinetic.metered(net, METERS, **{"zero": "noise"} | options):
        net(X0, 0.5)
    assert not net._forward_hooks


def test_answers_that_are_no_velocity_are_refused():
    net = TimeFirst()
    with (
        pytest.raises(ShapeError, match="answered with Answer, of which 'output' = None is no tensor"),
        kinetic.metered(net, METERS, zero="noise", x=1, t=0),
    ):
        net(0.5, X0)


def test_an_index_into_an_answer_that_is_a_tensor_is_refused():
    net = nn.Linear(3, 3)
    net.forward = lambda x, t: -x
    with (
        pytest.raises(ShapeError, match="answered with Tensor, of which 'output' = 1 is no tensor"),
        kinetic.metered(net, zero="noise", output=1),
    ):
        net(torch.randn(2, 3), 0.0)


def test_falling_times_are_noted_as_the_wrong_zero():
    net = nn.Linear(3, 3)
    net.forward = lambda x, t: -x
    for zero, noted in (("noise", True), ("data", False)):
        with kinetic.metered(net, zero=zero) as meter:
            x = torch.randn(2, 3)
            for i in range(4):
                x = x - net(x, 1 - i / 4) / 4
        assert any("as if zero = 'noise' were the other way round" in note for note in meter.notes) == noted


def test_times_that_differ_between_samples_are_refused():
    net = Plain()
    with pytest.raises(ShapeError, match="one time for all of them"), kinetic.metered(net, METERS, zero="noise"):
        net(X0, torch.linspace(0, 1, 6)[:, None].double())


class Sums(nn.Module):
    def forward(self, x, t):
        return x.sum(1)


def test_a_velocity_of_another_shape_is_refused():
    net = Sums()
    with pytest.raises(ShapeError, match=r"a velocity of shape \(6,\)"), kinetic.metered(net, METERS, zero="noise"):
        net(X0, 0.0)


def test_a_function_cannot_be_watched_and_a_module_by_one_with_at_a_time():
    with pytest.raises(OptionError, match=r"must be an nn\.Module"):
        kinetic.metered(v, METERS, zero="noise").__enter__()
    net = Plain()
    with kinetic.metered(net, METERS, zero="noise"), pytest.raises(OptionError, match="metered already"):
        kinetic.metered(net, METERS, zero="noise").__enter__()
