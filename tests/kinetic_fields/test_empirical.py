"""The closed-form field against a brute-force posterior in float64, and against what is known of its paths."""

import math

import attrs
import pytest
import torch
from kinetic_energy import KPE
from kinetic_fields import Empirical, closed_form, empirical, points
from kinetic_fields.closed_form import pass_over
from kinetic_solvers import RK4, Euler, Heun, Midpoint

from kinetic import Batch, Runner, TensorData
from kinetic.errors import OptionError, ShapeError
from kinetic.testing import check_field


def brute(x, t, data):
    """softmax_i(-||x - t x_i||^2 / (2 (1-t)^2)), written out."""
    logits = -(x[:, None] - t[:, None, None] * data).square().sum(2) / (2 * (1 - t[:, None]) ** 2)
    return torch.softmax(logits, 1)


@pytest.fixture
def data():
    return torch.randn(40, 5, dtype=torch.float64)


@pytest.mark.parametrize("time", [0.0, 0.2, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("block", [2**21, 35])  # 35 elements: 7 points of 5 at a time
def test_velocity_and_posterior_are_the_brute_force_ones_in_one_block_or_many(data, time, block, monkeypatch):
    monkeypatch.setattr(points, "_BLOCK", block)
    x, t = torch.randn(9, 5, dtype=torch.float64), torch.full((9,), time, dtype=torch.float64)
    weights = brute(x, t, data)
    field = Empirical(data)
    posterior = field.posterior(x, t)
    assert torch.allclose(posterior.mean, weights @ data, rtol=1e-10, atol=1e-12)
    assert torch.allclose(field.velocity(x, t), (weights @ data - x) / (1 - time), rtol=1e-9, atol=1e-11)
    assert torch.allclose(posterior.top_weight, weights.amax(1), rtol=1e-10)
    if time > 0:  # at 0 all are equally near
        assert torch.equal(posterior.nearest, weights.argmax(1))
    entropy = -torch.xlogy(weights, weights).sum(1)
    assert torch.allclose(posterior.entropy, entropy, rtol=1e-8, atol=1e-12)


def test_at_the_start_every_point_is_equally_likely(data):
    posterior = Empirical(data).posterior(torch.randn(3, 5), torch.zeros(3))
    assert posterior.entropy.tolist() == pytest.approx([math.log(40)] * 3)
    assert torch.allclose(posterior.mean, data.mean(0).expand(3, 5))


@pytest.mark.parametrize("block", [2**21, 15])
def test_with_classes_only_the_data_of_the_class_count(data, block, monkeypatch):
    monkeypatch.setattr(points, "_BLOCK", block)
    labels = torch.arange(40) // 14  # in blocks of 3, most hold no point of a given class
    x, t = torch.randn(6, 5, dtype=torch.float64), torch.full((6,), 0.7, dtype=torch.float64)
    wanted = torch.tensor([0, 1, 2, 2, 1, 0])
    field = Empirical(TensorData(data, labels), classes=True)
    found = field.posterior(x, t, Batch(torch.arange(6), wanted))
    for row, label in enumerate(wanted):
        own = data[labels == label]
        weights = brute(x[row : row + 1], t[:1], own)
        assert torch.allclose(found.mean[row], (weights @ own)[0], rtol=1e-10)
        assert found.entropy[row].item() == pytest.approx(-torch.xlogy(weights, weights).sum().item(), abs=1e-10)
        assert labels[found.nearest[row]] == label


@pytest.mark.parametrize("method", [Euler, Midpoint, Heun, RK4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_path_is_finite_and_ends_on_a_data_point(method, dtype):
    data = torch.randn(60, 16, dtype=torch.float64) * 2
    found = Runner(field=Empirical(data), solver=method(steps=60), meters={"kpe": KPE()}).run(50, dtype=dtype)
    distance = (found.samples.double()[:, None] - data).norm(dim=2).amin(1)
    assert distance.max() < (1e-5 if dtype == torch.float32 else 1e-10)
    assert bool(found.energy["kpe"].isfinite().all())


@pytest.mark.parametrize("time", [1 - 1e-3, 1 - 1e-7, 1.0])
@pytest.mark.parametrize("far", [1.0, 1e3, 1e6])
def test_the_answer_is_finite_far_from_the_data_and_up_to_the_end(data, time, far):
    x, t = far * torch.randn(4, 5, dtype=torch.float64), torch.full((4,), time, dtype=torch.float64)
    assert bool(Empirical(data).velocity(x, t).isfinite().all())


def test_at_the_end_a_sample_keeps_the_velocity_it_last_had(data):
    field, batch = Empirical(data), Batch(torch.arange(3))
    x = torch.randn(3, 5, dtype=torch.float64)
    before = field.velocity(x, torch.full((3,), 0.98, dtype=torch.float64), batch)
    rows = torch.tensor([2, 0])
    after = field.velocity(x[rows], torch.ones(2, dtype=torch.float64), batch.take(rows))
    assert torch.equal(after, before[rows])


def test_near_duplicates_are_told_apart_by_which_is_nearer():
    data = torch.zeros(2, 4, dtype=torch.float64)
    data[1, 0] = 2e-3
    t = torch.full((1,), 1 - 1e-4, dtype=torch.float64)
    x = t[:, None] * data[1:]
    found = Empirical(data).posterior(x, t)
    weights = brute(x, t, data)
    assert found.nearest.item() == 1
    assert found.top_weight.item() == pytest.approx(weights[0, 1].item(), rel=1e-8)


def test_the_contract_of_a_field_is_kept(data):
    check_field(Empirical(data.float().double()), tolerance=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("classes", [False, True])
def test_a_trajectory_is_the_same_with_and_without_a_batch_to_remember_in(dtype, classes, monkeypatch):
    """With a batch most velocities come from candidates; without one each is a pass over the data."""
    monkeypatch.setattr(closed_form, "_is_little", lambda *size: False)
    data, labels = torch.randn(300, 24, dtype=torch.float64), torch.arange(300) % 3
    field = Empirical(TensorData(data, labels), classes=classes)
    ends, passes = [], []
    for forget in (False, True):
        calls = []
        monkeypatch.setattr(empirical, "pass_over", lambda *a, calls=calls: calls.append(len(a[1])) or pass_over(*a))
        x, batch = torch.randn(9, 24, dtype=dtype, generator=torch.Generator().manual_seed(1)), None
        for k in range(60):
            batch = Batch(torch.arange(9), torch.arange(9) % 3) if batch is None or forget else batch
            x = x + field.velocity(x, torch.full((9,), k / 60, dtype=dtype), batch) / 60
        ends.append(x)
        passes.append(sum(calls))
    assert (ends[0] - ends[1]).abs().max() < (1e-5 if dtype == torch.float32 else 1e-11)
    assert passes[0] < 0.7 * passes[1]


def test_rows_of_a_batch_remember_for_themselves():
    """Samples at different times, some asked and some not, as an adaptive solver does it."""
    data = torch.randn(100, 12, dtype=torch.float64)
    field, batch = Empirical(data), Batch(torch.arange(6))
    x = torch.randn(6, 12, dtype=torch.float64)
    for k in range(40):
        rows = torch.tensor([i for i in range(6) if (k + i) % 3])
        t = torch.full((len(rows),), k / 40, dtype=torch.float64)
        v = field.velocity(x[rows], t, batch.take(rows))
        assert (v - field.velocity(x[rows], t)).abs().max() < 1e-9
        x[rows] = x[rows] + v / 40


def test_one_point_and_few_points_need_no_special_care(data):
    for n in (1, 2, 5):
        field, batch, x = Empirical(data[:n]), Batch(torch.arange(4)), torch.randn(4, 5, dtype=torch.float64)
        for k in range(20):
            t = torch.full((4,), k / 20, dtype=torch.float64)
            expected = (brute(x, t, data[:n]) @ data[:n] - x) / (1 - t[:, None])
            v = field.velocity(x, t, batch)
            assert (v - expected).abs().max() < 1e-9
            x = x + v / 20


@pytest.mark.gpu
def test_a_gpu_with_tf32_allowed_gives_the_velocities_of_the_cpu():
    data = torch.randn(500, 300)
    field, batch = Empirical(data.cuda()), Batch(torch.arange(8).cuda())
    torch.set_float32_matmul_precision("high")
    try:
        for time in (0.05, 0.3, 0.6, 0.9, 0.999):
            x, t = (1 - time) * torch.randn(8, 300) + time * data[:8], torch.full((8,), time)
            truth = Empirical(data).velocity(x.double(), t.double())
            found = field.velocity(x.cuda(), t.cuda(), batch).cpu()
            assert ((found - truth).norm(dim=1) / truth.norm(dim=1)).max() < 1e-5
    finally:
        torch.set_float32_matmul_precision("highest")


def test_dtypes_of_samples_and_data_may_differ_and_no_samples_are_no_trouble(data):
    t = torch.full((3,), 0.4, dtype=torch.float64)
    x = torch.randn(3, 5, dtype=torch.float64)
    truth = Empirical(data).velocity(x, t)
    for dtype, close in ((torch.float64, 1e-6), (torch.float32, 1e-5), (torch.bfloat16, 0.05)):
        v = Empirical(data.float()).velocity(x.to(dtype), t.float())
        assert v.dtype == dtype
        assert torch.allclose(v.double(), truth, atol=close, rtol=close)
    assert Empirical(data).velocity(x[:0], t[:0]).shape == (0, 5)


def test_images_keep_their_shape():
    field = Empirical(torch.randn(5, 2, 3, 4))
    assert field.event_shape == (2, 3, 4)
    assert field.velocity(torch.randn(6, 2, 3, 4), torch.rand(6)).shape == (6, 2, 3, 4)


def test_bad_input_is_named(data):
    with pytest.raises(ShapeError, match=r"samples have shape \(4,\), the data \(5,\)"):
        Empirical(data).velocity(torch.zeros(2, 4), torch.zeros(2))
    with pytest.raises(ShapeError, match=r"2 samples of torch.float32 need floating-point x and t \(2,\): \(3,\)"):
        Empirical(data).velocity(torch.zeros(2, 5), torch.zeros(3))
    with pytest.raises(ShapeError, match=r"2 samples of torch.int64 need floating-point x"):
        Empirical(data).velocity(torch.zeros(2, 5, dtype=torch.int64), torch.zeros(2))
    with pytest.raises(OptionError, match="'classes' needs data with labels"):
        Empirical(data, classes=True)
    labelled = Empirical(TensorData(data, torch.zeros(40, dtype=torch.int64)), classes=True)
    with pytest.raises(OptionError, match=r"set `classes = N` under \[run\]"):
        labelled.velocity(torch.zeros(2, 5), torch.zeros(2))
    with pytest.raises(OptionError, match=r"no data of class \[3\]: the classes are \[0\]"):
        labelled.velocity(torch.zeros(2, 5), torch.zeros(2), Batch(torch.arange(2), torch.tensor([0, 3])))
    with pytest.raises(OptionError, match="data must be finite: 1 point"):
        Empirical(torch.tensor([[1.0], [float("nan")]]))
    with pytest.raises(ShapeError, match="n >= 1"):
        Empirical(torch.zeros(0, 3))
    with pytest.raises(OptionError, match="'data' must be a dataset: 3"):
        Empirical(3)


def test_candidates_of_another_class_are_not_looked_at(monkeypatch):
    monkeypatch.setattr(closed_form, "_is_little", lambda *size: False)
    data, labels = torch.randn(60, 8, dtype=torch.float64), torch.arange(60) % 3
    field = Empirical(TensorData(data, labels), classes=True)
    x, t = torch.randn(4, 8, dtype=torch.float64), torch.full((4,), 0.9, dtype=torch.float64)
    first = Batch(torch.arange(4), torch.full((4,), 1))
    field.velocity(x, t, first)
    second = attrs.evolve(first, condition=torch.full((4,), 2))
    fresh = Batch(torch.arange(4), torch.full((4,), 2))
    assert (field.velocity(x, t, second) - field.velocity(x, t, fresh)).abs().max() < 1e-9


def test_rows_that_were_never_asked_have_no_last_velocity_at_the_end(data):
    field, batch, x = Empirical(data), Batch(torch.arange(4)), torch.randn(4, 5, dtype=torch.float64)
    field.velocity(x[:2], torch.full((2,), 0.5, dtype=torch.float64), batch.take(torch.tensor([0, 1])))
    end = torch.ones(2, dtype=torch.float64)
    assert torch.equal(field.velocity(x[2:], end, batch.take(torch.tensor([2, 3]))), field.velocity(x[2:], end))


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("little", [True, False])
def test_a_row_that_is_not_finite_answers_for_itself_alone(data, bad, little, monkeypatch):
    monkeypatch.setattr(closed_form, "_is_little", lambda *size: little)
    field, x, t = Empirical(data), torch.randn(4, 5), torch.full((4,), 0.5)
    clean = field.velocity(x, t, Batch(torch.arange(4)))
    x[1, 2] = bad
    v = field.velocity(x, t, Batch(torch.arange(4)))
    assert not v[1].isfinite().any()
    keep = torch.tensor([0, 2, 3])
    assert torch.allclose(v[keep], clean[keep], atol=1e-6)


@pytest.mark.parametrize("d", [3072, 12288])
def test_points_whose_rounding_errors_add_up_are_told_apart(d):
    """All elements of a point alike: a matrix-vector product in float32 is off by d/60 units, not by a few."""
    level = 0.9 + 5e-4 * torch.arange(40.0)
    data = level[:, None].expand(40, d).contiguous()
    t = torch.tensor([0.99999])
    for j in range(0, 40, 7):
        x = (t * data[j] + (1 - t) * torch.randn(d))[None]
        mean = x + (1 - t) * Empirical(data).velocity(x, t)
        assert (mean - data[j]).abs().max() < 1e-4


def test_the_posterior_ends_before_the_end(data):
    with pytest.raises(OptionError, match="'t' must be below 1, where the posterior is 0/0: 1"):
        Empirical(data).posterior(torch.zeros(2, 5), torch.tensor([0.5, 1.0]))
