import pytest
import torch
from kinetic_diffusers.guidance import Watch
from torch import nn

U, C = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0)).double().unbind(0)


def watched(answer, velocity):
    watch, net = Watch(), nn.Identity()
    with watch.on([net]):
        for each in answer:
            net(each)
    assert not net._forward_hooks
    return watch.take(velocity)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("answer", [[torch.cat([U, C])], [torch.cat([C, U])], [U, C], [C, U]])
def test_halves_are_told_apart_by_the_scale_whatever_their_order_and_sign(answer, sign):
    parts = watched(answer, sign * (U + 4.0 * (C - U)))
    assert torch.equal(parts.conditional, C)
    assert parts.scale == pytest.approx(4.0)
    assert parts.rest < 1e-12
    e = parts.energies()
    total = e["kpe_unconditional"] + 16 * e["kpe_apart"] + e["guidance_work"]
    assert torch.allclose(total, 0.5 * (U + 4 * (C - U)).square().sum(1))


def test_what_is_rescaled_leaves_a_rest():
    v = U + 4.0 * (C - U)
    parts = watched([torch.cat([U, C])], v * torch.tensor([1.0, 0.9, 0.8])[:, None])
    assert 1e-3 < parts.rest < 0.5


def test_what_is_no_pair_is_nothing():
    assert watched([C], C) is None
    assert watched([C, U, C], C) is None
    assert watched([torch.randn(6, 5)], C) is None
    assert watched([torch.randn(6, 4).double()], torch.randn(3, 4).double() * 100 + 50) is None
