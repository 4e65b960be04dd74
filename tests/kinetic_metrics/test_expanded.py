import pytest
import torch
from kinetic_metrics import expanded
from kinetic_metrics.expanded import Centred, Scratch, error, products


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("f", "depth"), [(3, 2048), (3000, 2048), (25, 7)])
def test_squares_are_those_of_the_differences_but_for_the_error(f, depth, dtype, monkeypatch):
    monkeypatch.setattr(expanded, "_DEPTH", depth)
    a, b = 3 + torch.randn(20, f, dtype=dtype), 3 + torch.randn(30, f, dtype=dtype)
    b[:5] = a[:5] + 1e-3 * torch.randn(5, f, dtype=dtype)
    scratch, centre = Scratch(), b.mean(0)
    one, other = (Centred.of(x, centre, dtype, scratch, name) for x, name in ((a, "a"), (b, "b")))
    squares = products(one, other, scratch).double() + one.squares[:, None]
    truth = (a.double()[:, None] - b.double()).square().sum(2)
    reach = one.squares.sqrt()[:, None] + other.squares.sqrt()
    assert bool(((squares - truth).abs() <= error(reach, f, dtype)).all())
    assert float(error(reach, f, dtype).max()) < 1e-2 * float(truth.max())


def test_centred_points_and_their_norms_are_the_same_in_parts(monkeypatch):
    x, centre = torch.randn(50, 6), torch.randn(6)
    whole = Centred.of(x, centre, torch.float32, Scratch(), "x")
    monkeypatch.setattr(expanded, "PAIRS", 24)
    parts = Centred.of(x, centre, torch.float32, Scratch(), "x")
    assert torch.equal(whole.about, x - centre)
    assert torch.equal(whole.about, parts.about)
    assert torch.allclose(whole.squares, (x - centre).double().square().sum(1), rtol=1e-6)
    assert torch.allclose(whole.squares, parts.squares, rtol=1e-6)


def test_a_room_is_used_again_where_it_is_large_enough_and_of_the_type():
    scratch, like = Scratch(), torch.empty(0)
    first = scratch.buffer("a", 4, 5, like)
    assert first.shape == (4, 5)
    assert scratch.buffer("a", 2, 3, like).data_ptr() == first.data_ptr()
    assert scratch.buffer("b", 4, 5, like).data_ptr() != first.data_ptr()
    assert scratch.buffer("a", 9, 9, like).shape == (9, 9)
    assert scratch.buffer("a", 2, 2, like.double()).dtype == torch.float64


def test_nothing_is_known_of_sums_that_are_too_long():
    reach = torch.ones(1, dtype=torch.float64)
    assert error(reach, 2**24, torch.float32).item() == float("inf")
    assert error(reach, 2**24, torch.float64).item() < 1e-8
