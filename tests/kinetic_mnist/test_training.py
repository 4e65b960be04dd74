import pytest
import torch
from kinetic_mnist.nets import NULL, VelocityNet
from kinetic_mnist.training import Plan, Run, draw, flow_matching_loss, loss_on

from kinetic import TensorData

CPU = torch.device("cpu")
DATA = TensorData(torch.randn(20, 1, 28, 28, generator=torch.Generator().manual_seed(0)), torch.arange(20) % 10)


def trained(path, *ends):
    """A run on a few random images, stopped after each of the steps given and taken up again by the next."""
    before = 0
    for end in ends:
        run = Run.begin(Plan(20, (end,)), CPU)
        run.go_on(path)
        assert list(run.steps(DATA, path)) == list(range(before + 1, end + 1))
        before = end
    return run


def test_a_training_that_was_stopped_ends_where_one_in_one_go_does(tmp_path):
    whole, parts = trained(tmp_path / "whole.pt", 4), trained(tmp_path / "parts.pt", 2, 4)
    assert whole.step == parts.step == 4
    for a, b in zip(whole.net.parameters(), parts.net.parameters(), strict=True):
        assert torch.equal(a, b)
    for a, b in zip(whole.mean.parameters(), parts.mean.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_state_of_another_plan_is_not_taken_up(tmp_path):
    trained(tmp_path / "kept.pt", 1)
    for other in (Plan(21, (3,)), Plan(20, (3,), seed=1)):
        run = Run.begin(other, CPU)
        run.go_on(tmp_path / "kept.pt")
        assert run.step == 0
    run.go_on(tmp_path / "nothing.pt")
    assert run.step == 0


def test_the_loss_is_the_mean_square_of_what_is_missing_to_x1_minus_x0():
    x1, x0 = DATA.read(0, 4).double(), torch.randn(4, 1, 28, 28, dtype=torch.float64)
    t, labels = torch.tensor([0.0, 0.25, 0.5, 1.0], dtype=torch.float64), torch.arange(4)

    class Half(torch.nn.Module):
        def forward(self, x, t, labels):
            assert torch.allclose(x, (1 - t.view(-1, 1, 1, 1)) * x0 + t.view(-1, 1, 1, 1) * x1)
            return (x1 - x0) / 2

    expected = ((x1 - x0) ** 2).mean() / 4
    assert flow_matching_loss(Half(), x1, labels, t, x0).item() == pytest.approx(expected.item())


def test_a_tenth_of_a_batch_has_its_class_withheld():
    x, labels, t, x0 = draw(DATA.read(0, 20), DATA.labels, torch.Generator().manual_seed(0), 5000)
    assert x.shape == x0.shape == (5000, 1, 28, 28)
    assert (labels == NULL).double().mean() == pytest.approx(0.1, abs=0.02)
    assert set(labels.tolist()) == {*range(10), NULL}
    assert 0 <= t.min() < 0.01
    assert 0.99 < t.max() < 1


def test_the_loss_on_data_is_the_same_each_time_and_leaves_torchs_stream_alone():
    torch.manual_seed(0)
    net = VelocityNet().eval()
    state = torch.get_rng_state()
    assert loss_on(net, DATA, 256) == loss_on(net, DATA, 256)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_average_moves_by_little_more_than_a_thousandth_late_and_most_of_the_way_early(tmp_path):
    """Weight 1 - min(.999, (1 + k) / (10 + k)) after step k: 9/11 after the first."""
    run = Run.begin(Plan(20, (1,)), CPU)
    before = [p.clone() for p in run.net.parameters()]
    list(run.steps(DATA, tmp_path / "kept.pt"))
    for start, mean, net in zip(before, run.mean.parameters(), run.net.parameters(), strict=True):
        assert torch.allclose(mean, start + 9 / 11 * (net - start), atol=1e-6)
