"""Passes and looks at candidates against the brute-force posterior mean in float64."""

import pytest
import torch
from kinetic_fields import closed_form
from kinetic_fields.candidates import Anchor
from kinetic_fields.closed_form import look_at_candidates, pass_over
from kinetic_fields.points import Points

from kinetic import TensorData


def brute(x, t, data):
    """The posterior mean by definition, in float64, a sample at a time."""
    logits = torch.stack([-(row - t * data).square().sum(1) / (2 * (1 - t) ** 2) for row in x.double()])
    return torch.softmax(logits, 1) @ data.double()


def error(mean, x, t, truth):
    """Of the velocity, relative."""
    return (((mean - truth) / (1 - t)).norm(dim=1) / ((truth - x.double()) / (1 - t)).norm(dim=1)).max().item()


@pytest.fixture(params=["plain", "accounts"])
def accounts(request, monkeypatch):
    """Little work goes the plain way; with accounts the other code is used for it too."""
    if request.param == "accounts":
        monkeypatch.setattr(closed_form, "_is_little", lambda *size: False)


@pytest.mark.usefixtures("accounts")
@pytest.mark.parametrize("precision", ["highest", "medium"])
@pytest.mark.parametrize("time", [0.05, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999])
def test_near_duplicates_cost_no_precision_in_float32_at_any_time(time, precision):
    """rms .002 apart, in 600 dimensions; what float32 alone cannot tell apart (asserted too)."""
    data = torch.randn(300, 600).double().float()
    data = torch.cat([data, data[:150] + 0.002 * torch.randn(150, 600)])
    x = ((1 - time) * torch.randn(20, 600) + time * data[torch.randint(150, (20,))]).double()
    truth = brute(x, time, data.double())
    z, a = x / time, torch.full((20,), (time / (1 - time)) ** 2, dtype=torch.float64)
    torch.set_float32_matmul_precision(precision)
    try:
        mean, _ = pass_over(Points(TensorData(data)), z, a, None, torch.float32)
        scores = torch.addmm(0.5 * data.square().sum(1), z.float(), data.T, beta=-1) * a[:, None].float()
        plain = (torch.softmax(scores, 1) @ data).double()
    finally:
        torch.set_float32_matmul_precision("highest")
    assert error(mean, x, time, truth) < 1e-5
    if time == 0.9:
        assert error(plain, x, time, truth) > 1e-5


@pytest.mark.usefixtures("accounts")
def test_a_spread_posterior_late_in_time_is_found_in_float64():
    """40 copies of a point, rms 1e-4 apart: too many for the candidates, too close for float32."""
    data = torch.randn(1, 300) + 1e-4 * torch.randn(40, 300)
    time = 0.999
    x = (time * data[:8] + (1 - time) * torch.randn(8, 300)).double()
    truth = brute(x, time, data.double())
    z, a = x / time, torch.full((8,), (time / (1 - time)) ** 2, dtype=torch.float64)
    mean, found = pass_over(Points(TensorData(data)), z, a, None, torch.float32)
    assert error(mean, x, time, truth) < 1e-5
    assert not found


def walk(data, steps, seed=0, m=12):
    """A path along the true field: x and t at each step."""
    x = torch.randn(m, data.shape[1], generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    for k in range(steps):
        t = max(k / steps, 1e-9)
        yield x, t
        x = x + (brute(x, t, data) - x) / (1 - t) / steps


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_candidates_take_over_on_the_way_and_are_right_whenever_they_say_they_are_enough(dtype, monkeypatch):
    monkeypatch.setattr(closed_form, "_is_little", lambda *size: False)
    data = torch.randn(400, 40, dtype=torch.float64)
    points, anchor, looked = Points(TensorData(data)), None, []
    for x, t in walk(data, 50):
        z, a = x / t, torch.full((12,), (t / (1 - t)) ** 2, dtype=torch.float64)
        truth = brute(x, t, data)
        left, found = torch.arange(12), []
        if anchor is not None:
            mean, sure, found = look_at_candidates(points, z, a, anchor)
            assert (mean[sure] - truth[sure]).abs().max() < 1e-9 if sure.any() else True
            left = (~sure).nonzero()[:, 0]
        looked.append(len(left))
        if len(left):
            passed, more = pass_over(points, z[left], a[left], None, dtype)
            assert (passed - truth[left]).abs().max() < (1e-4 if dtype == torch.float32 else 1e-9)
            found = found + [type(f)(left[f.rows], f.index, f.z0, f.y, f.gap) for f in more]
        anchor = (anchor or Anchor.nowhere(z)).updated(left, found)
    assert looked[0] == 12
    assert looked[-10:] == [0] * 10  # the data are not read again
    assert sum(looked) < 0.5 * 12 * 50


def test_a_jump_elsewhere_is_noticed_and_costs_a_pass():
    data = torch.randn(50, 10, dtype=torch.float64)
    points, t = Points(TensorData(data)), 0.9
    a = torch.full((4,), (t / (1 - t)) ** 2, dtype=torch.float64)
    at = (data[:4] * t + 0.01) / t
    closed_form_found = pass_over(points, at, a, None, torch.float64)
    if not closed_form_found[1]:  # the plain way was taken
        closed_form_found = closed_form_found[0], []
    anchor = Anchor.nowhere(at).updated(torch.arange(4), closed_form_found[1])
    elsewhere = (data[4:8] * t + 0.01) / t
    _, sure, _ = look_at_candidates(points, elsewhere, a, anchor)
    assert not sure.any()
