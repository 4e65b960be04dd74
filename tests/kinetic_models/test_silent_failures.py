"""Mistakes that gave wrong numbers in silence: each is now an error or a note that names it."""

import functools

import pytest
import torch
from kinetic_fields import Empirical
from kinetic_models import ModuleField
from kinetic_solvers import Euler
from torch import nn

from kinetic import Runner
from kinetic.errors import FieldError, KineticError

POINTS = torch.randn(12, 8, generator=torch.Generator().manual_seed(3))
LINE = {"order": "xt", "zero": "noise", "predicts": "velocity", "path": "linear"}


def right(x, t):
    """The exact velocity to twelve points: what a trained net answers."""
    return Empirical(POINTS).velocity(x, t.clamp(0, 0.95))


def waves(x, t):
    """The same of a net that sees its time as cos(pi t), as embeddings do: another one behind t = 1."""
    return right(x, torch.acos((torch.pi * t).cos().clamp(-1, 1)) / torch.pi)


def warnings(net, asked=None, **options):
    field = ModuleField(module=net, shape=[8], **{**LINE, **options})
    return " ".join(Runner(field, Euler(steps=2)).dry_run(classes=asked))


def test_the_right_convention_is_not_noted():
    assert warnings(right) == ""
    assert warnings(waves) == ""
    assert warnings(lambda t, x: right(x, t), order="tx") == ""
    assert warnings(lambda x, t: -right(x, 1 - t), zero="data") == ""
    assert warnings(lambda x, t: right(x, t / 1000), scale=1000.0) == ""


@pytest.mark.parametrize(
    ("net", "options", "words"),
    [
        (lambda x, t: -right(x, t), {}, "the sign were wrong"),
        (lambda x, t: right(x, 1 - t), {}, "time ran the other way"),
        (right, {"zero": "data"}, "both the sign were wrong and time ran the other way"),
        (lambda x, t: x + (1 - t[:, None]) * right(x, t), {}, "the net predicted the data x1"),
        (lambda x, t: x - t[:, None] * right(x, t), {}, "the net predicted the noise"),
        (lambda x, t: right(x, t) / 2, {}, "the velocity were halved"),
        (lambda x, t: right(x, t / 1000), {}, "a net made for times up to 1000 were told t in"),
        (waves, {"scale": 1000.0}, "a net made for times in [0, 1] were told times up to 1000"),
    ],
)
def test_a_wrong_convention_is_noted_with_the_mistake_it_looks_like(net, options, words):
    assert words in warnings(net, **options)


def test_a_net_that_is_zero_as_before_training_is_an_error():
    net = nn.Linear(8, 8).eval()
    nn.init.zeros_(net.weight)
    nn.init.zeros_(net.bias)
    with pytest.raises(FieldError, match=r"ModuleField is 0 for all .*\n.*before it was trained"):
        warnings(lambda x, t: net(x) * t[:, None])


class Labelled(nn.Module):
    """Drops labels while it trains, as SiT's LabelEmbedder does."""

    def __init__(self, drop):
        super().__init__()
        self.table, self.drop = nn.Embedding(5, 8), drop

    def forward(self, x, t, y):
        if self.drop:
            y = y.masked_fill(torch.rand(len(y)) < 0.5, 4)
        return right(x, t) + self.table(y)


def test_training_mode_is_an_error_and_dropout_in_a_callable_is_noted():
    net = Labelled(drop=False)
    with pytest.raises(KineticError, match=r"Labelled is in training mode.*\n.*net\.eval\(\)"):
        warnings(net, 4, classes=4)
    torch.manual_seed(0)
    dropping = Labelled(drop=True)
    for call in (dropping.forward, functools.partial(dropping), functools.partial(dropping.forward)):
        with pytest.raises(KineticError, match="Labelled is in training mode"):
            warnings(call, 4, classes=4)

    def closed_over(x, t, y):
        return dropping(x, t, y)

    said = warnings(closed_over, 4, classes=4)
    assert "answers differently when asked twice" in said
    assert "net.eval()" in said


def test_a_guided_batch_that_is_not_doubled_is_noted():
    def with_cfg(x, t, y):  # SiT's forward_with_cfg: takes the first half and doubles it
        half = x[: len(x) // 2]
        twice = torch.cat([half, half])
        v = right(twice, t[: len(twice)])
        return torch.cat([v, right(x[:1], t[:1])])[: len(x)] if len(v) < len(x) else v

    said = warnings(with_cfg, 4, classes=4)
    assert "ModuleField answers a sample differently alone and in a batch" in said


@pytest.mark.parametrize(
    ("net", "options", "words"),
    [
        (lambda x, t: (right(x, t), x), {}, "answers with a tuple of 2, not one tensor: say which, output = 0"),
        (lambda t, x: right(x, t), {}, "samples have shape"),  # x and t the wrong way round
        (nn.Linear(8, 8).eval(), {}, "ModuleField raised TypeError when asked for a velocity"),
        (lambda x, t: right(x, t.view(1)), {}, "ModuleField raised"),  # made for a time of no dimension
    ],
)
def test_what_ended_in_a_traceback_is_one_error(net, options, words):
    with pytest.raises(KineticError, match=words):
        warnings(net, **options)


def test_a_net_of_bfloat16_that_casts_its_time_itself_is_named():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.time = nn.Linear(1, 8)

        def forward(self, x, t):
            return x + self.time(t[:, None])

    with pytest.raises(FieldError, match="ModuleField raised RuntimeError"):
        warnings(Net().eval(), dtype="bfloat16")
    torch.manual_seed(0)
    assert isinstance(warnings(Net().eval(), dtype="bfloat16", t_dtype="samples"), str)
