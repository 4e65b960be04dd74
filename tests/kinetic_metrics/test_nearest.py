import pytest
import torch
from kinetic_metrics import expanded
from kinetic_metrics import nearest as module
from kinetic_metrics.nearest import nearest, neighbours

from kinetic import Dataset, TensorData
from kinetic.errors import OptionError, ShapeError


def brute_force(x, data, k):
    """Distances from float64 differences, ties to the lower index."""
    squared = torch.stack([(row - data.double()).square().sum(1) for row in x.double()])
    value, index = squared.sort(dim=1, stable=True)
    return value[:, :k].sqrt(), index[:, :k]


def check(x, data, k):
    value, index = brute_force(x, data, k)
    found, where = nearest(x, TensorData(data), k)
    assert found.dtype == torch.float64
    assert torch.allclose(found, value, rtol=1e-12, atol=0)
    assert torch.equal(where, index)


def clusters(n, f, centres=6, near=1e-5, dtype=torch.float32):
    """Points so close to one of a few centres that float32 products cannot order them."""
    middle = 10 * torch.randn(centres, f, dtype=torch.float64)
    return (middle[torch.arange(n) % centres] + near * torch.randn(n, f, dtype=torch.float64)).to(dtype)


@pytest.mark.parametrize("block", [2**22, 24])
@pytest.mark.parametrize("k", [1, 2, 5])
def test_the_nearest_are_those_of_brute_force(block, k, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", block)
    x, data = torch.randn(30, 6, dtype=torch.float64), torch.randn(50, 6, dtype=torch.float64)
    distances = (x[:, None] - data).square().sum(2).sqrt()
    value, index = distances.topk(k, dim=1, largest=False)
    found, where = nearest(x, TensorData(data), k)
    assert torch.allclose(found, value, rtol=1e-12)
    assert torch.equal(where, index)


def test_near_duplicates_far_from_the_origin_are_told_apart():
    """The expanded square loses them: 1e6^2 swallows 1e-4^2."""
    base = 1e6 * torch.ones(4, dtype=torch.float64)
    data = torch.stack([base + 3e-4, base + 1e-4, base - 2e-4, base + 9.0])
    distances, index = nearest(base[None], TensorData(data), 3)
    assert index.tolist() == [[1, 2, 0]]
    assert distances[0].tolist() == pytest.approx([2e-4, 4e-4, 6e-4], rel=1e-5)


def test_ties_go_to_the_lower_index():
    data = torch.tensor([[1.0], [-1.0], [1.0], [5.0]])
    _, index = nearest(torch.zeros(1, 1), TensorData(data), 3)
    assert index.tolist() == [[0, 1, 2]]


def test_all_points_can_be_asked_for():
    distances, index = nearest(torch.zeros(2, 1), TensorData(torch.tensor([[3.0], [1.0]])), 2)
    assert distances.tolist() == [[1.0, 3.0]] * 2
    assert index.tolist() == [[1, 0]] * 2


@pytest.mark.parametrize("block", [2**22, 512])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("spread", [1.0, 1e-3, 1e-5])
def test_points_that_rough_products_cannot_order_come_in_the_order_of_brute_force(block, dtype, spread, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", block)
    check(clusters(40, 30, near=spread, dtype=dtype), clusters(600, 30, near=spread, dtype=dtype), 5)


def test_queries_with_many_candidates_are_looked_at_again_in_float64(monkeypatch):
    again, exact = [], module._Block.exact
    monkeypatch.setattr(module._Block, "exact", lambda block: (again.append(len(block.points)), exact(block))[1])
    measured, measure = [], module._measure
    monkeypatch.setattr(
        module, "_measure", lambda x, block, rows, *a: (measured.append(len(rows)), measure(x, block, rows, *a))
    )
    data = clusters(1000, 64, centres=1, near=1.0)
    data[0] = 3e4  # far out, where it makes the rounding of all
    check(data[1:31] + 0.01, data, 3)
    assert again == [1000]
    assert sum(measured) < 30 * 20


def test_few_points_are_measured_where_float32_can_tell(monkeypatch):
    measured, measure = [], module._measure
    monkeypatch.setattr(
        module, "_measure", lambda x, block, rows, *a: (measured.append(len(rows)), measure(x, block, rows, *a))
    )
    check(torch.randn(50, 200), torch.randn(3000, 200), 4)
    assert sum(measured) < 50 * 4 * 2


@pytest.mark.parametrize("allowed", ["medium", "tf32", "autocast"])
def test_lower_precision_allowed_elsewhere_changes_nothing(allowed):
    data = torch.randn(500, 300)
    x = data[:60] + 0.5 * torch.randn(60, 300)
    precision, tf32 = torch.get_float32_matmul_precision(), torch.backends.cuda.matmul.allow_tf32
    try:
        if allowed == "medium":
            torch.set_float32_matmul_precision("medium")
        if allowed == "tf32":
            torch.backends.cuda.matmul.allow_tf32 = True
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=allowed == "autocast"):
            check(x, data, 6)
            check(clusters(40, 30), clusters(300, 30), 3)
        if allowed == "medium":
            assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.set_float32_matmul_precision(precision)


def test_near_duplicates_among_many_features_keep_six_digits_of_their_squared_distance():
    data = torch.rand(300, 3072)
    x = data[:40] + 0.01 * torch.randn(40, 3072)
    found, where = nearest(x, TensorData(data), 1)
    expected = (x.double() - data[:40].double()).square().sum(1)
    assert where[:, 0].tolist() == list(range(40))
    assert bool(((expected > 0.25) & (expected < 0.36)).all())
    assert ((found[:, 0].square() - expected).abs() / expected).max() < 1e-12


def test_data_that_come_nearer_block_by_block_are_followed(monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", 64)
    check(0.01 * torch.randn(9, 2), torch.linspace(50, 1, 400)[:, None] * torch.randn(400, 2), 3)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_of_equal_points_those_with_the_lowest_indices_are_taken(value, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", 64)
    data = torch.full((100, 4), value)
    _, index = nearest(torch.zeros(3, 4), TensorData(data), 7)
    assert index.tolist() == [list(range(7))] * 3


@pytest.mark.parametrize("scale", [1e-42, 1e-30, 1e-20, 1e17, 1e19, 1e36])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_numbers_whose_squares_float32_cannot_hold_are_ordered_all_the_same(scale, dtype):
    check((torch.randn(20, 8) * scale).to(dtype), (torch.randn(90, 8) * scale).to(dtype), 4)


def test_a_product_that_overflows_on_the_way_rules_nothing_out(monkeypatch):
    """||b||^2 is infinite in float32, ||b||^2 - 2 <a, b> is not. The first two points keep the centre at 0."""
    monkeypatch.setattr(module, "_BLOCK", 4)
    x = torch.tensor([[-1.35e19, 1.6e19]])
    first = torch.tensor([[1.403e19, 1.6e19], [-1.403e19, -1.6e19]])
    check(x, torch.cat([first, torch.tensor([[1.35e19, 1.6e19], [0.0, -3e19]])]), 1)


def test_products_that_underflow_rule_nothing_out(monkeypatch):
    """Squares of elements are near 1.4e-45, the least float32: some are rounded to that, others to 0."""
    monkeypatch.setattr(module, "_BLOCK", 2000)
    x = torch.full((1, 1000), 2.5e-23)
    check(x, torch.tensor([2.0e-23, -2.0e-23, 2.7e-23, 9e-23])[:, None].expand(4, 1000).contiguous(), 1)


@pytest.mark.parametrize("mine", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("theirs", [torch.float16, torch.float32, torch.float64])
def test_types_may_differ(mine, theirs):
    check(torch.randn(20, 9).to(mine), torch.randn(100, 9).to(theirs), 3)


def test_many_queries_are_looked_at_in_parts(monkeypatch):
    monkeypatch.setattr(module, "_PRODUCTS", 700)
    check(torch.randn(100, 5), torch.randn(100, 5), 3)


def test_features_are_summed_in_parts(monkeypatch):
    monkeypatch.setattr(expanded, "_DEPTH", 7)
    check(torch.randn(30, 25), torch.randn(200, 25), 3)


def test_distances_are_those_in_the_space_of_the_features():
    x, data = torch.randn(10, 4), torch.randn(60, 2, 3)
    found, where = nearest(x, TensorData(data), 2, lambda block: block.flatten(1)[:, :4] * 3)
    value, index = brute_force(x, data.flatten(1)[:, :4] * 3, 2)
    assert torch.allclose(found, value, rtol=1e-12)
    assert torch.equal(where, index)


def test_neighbours_in_a_table_are_those_of_brute_force():
    x, points = torch.randn(11, 4), torch.randn(17, 4)
    distances, index = torch.cdist(x.double(), points.double()).topk(3, dim=1, largest=False)
    near, which = neighbours(x, points, 3, torch.device("cpu"))
    assert torch.allclose(near, distances, rtol=1e-9)
    assert torch.equal(which, index)


def test_no_gradient_is_kept_and_no_query_is_no_error():
    found, where = nearest(torch.randn(0, 3), TensorData(torch.randn(5, 3)), 2)
    assert found.shape == where.shape == (0, 2)
    assert not nearest(torch.randn(2, 3, requires_grad=True), TensorData(torch.randn(5, 3)), 2)[0].requires_grad


class Raw(Dataset):
    """Data that nobody has checked."""

    def __init__(self, x):
        object.__setattr__(self, "x", x)

    @property
    def event_shape(self):
        return self.x.shape[1:]

    @property
    def labels(self):
        return None

    def __len__(self):
        return len(self.x)

    def read(self, start, stop):
        return self.x[start:stop]


def test_bad_input_is_named(monkeypatch):
    data = TensorData(torch.randn(5, 3))
    for k in (0, 6):
        with pytest.raises(OptionError, match=f"'k' must be an int from 1 to 5, the size of the data: {k}"):
            nearest(torch.randn(2, 3), data, k)
    with pytest.raises(ShapeError, match=r"queries have shape \(2, 4\), a block of the data \(5, 3\)"):
        nearest(torch.randn(2, 4), data, 1)
    with pytest.raises(ShapeError, match=r"floating point, of shape \(m, f\): torch.float32, \(3,\)"):
        nearest(torch.randn(3), data, 1)
    with pytest.raises(ShapeError, match=r"floating point, of shape \(m, f\): torch.int64, \(1, 3\)"):
        nearest(torch.ones(1, 3, dtype=torch.int64), data, 1)
    with pytest.raises(OptionError, match=r"queries must be finite: 1 point\(s\) are not, the first is number 1"):
        nearest(torch.tensor([[0.0], [torch.inf]]), TensorData(torch.randn(5, 1)), 1)
    with pytest.raises(OptionError, match="queries are on cpu, the features of the data on meta"):
        nearest(torch.randn(2, 3), data, 1, lambda block: block.to("meta"))
    monkeypatch.setattr(module, "_BLOCK", 9)
    bad = torch.randn(20, 3)
    bad[13, 1] = torch.nan
    with pytest.raises(OptionError, match=r"data must be finite: 1 point\(s\) are not, the first is number 13"):
        nearest(torch.randn(2, 3), Raw(bad), 1)
