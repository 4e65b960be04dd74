"""Perfect networks of a Gaussian target, and the exact flow they are held to."""

from types import SimpleNamespace

import pytest
import torch
from kinetic_fields import Gaussian
from kinetic_models import ModuleField

MEAN, STD, SIZE = 0.4, 0.7, 3


def exact(y, a, b, predicts, zero="noise"):
    """What a perfect network answers at y = a x1 + b e, x1 ~ N(MEAN, STD^2)."""
    x1 = MEAN + a * STD**2 / (a**2 * STD**2 + b**2) * (y - a * MEAN)
    e = (y - a * x1) / b
    velocity = x1 - e if zero == "noise" else e - x1
    return {"x1": x1, "denoised": x1, "noise": e, "score": -e / b, "v": a * e - b * x1, "velocity": velocity}[predicts]


def column(s):
    return s.double().view(-1, 1)


def linear(zero, predicts, scale=1.0):
    def net(y, s):
        s = column(s) / scale
        a = s if zero == "noise" else 1 - s
        return exact(y, a, 1 - a, predicts, zero)

    return net


def times(f, n=200):
    low, high = f._clamp
    t = torch.linspace(max(low, 0.01), min(high, 0.99), n, dtype=torch.float64)
    return torch.randn(n, SIZE, dtype=torch.float64), t


def assert_exact(f, atol=1e-9):
    x, t = times(f)
    expected = Gaussian(size=SIZE, mean=MEAN, std=STD).velocity(x, t)
    assert torch.allclose(f.velocity(x, t), expected, rtol=0, atol=atol)


def field(net, **more):
    return ModuleField(module=net, shape=[SIZE], **more)


@pytest.fixture(scope="session")
def perfect():
    """The functions of this file."""
    return SimpleNamespace(
        exact=exact, column=column, linear=linear, field=field, times=times, assert_exact=assert_exact
    )
