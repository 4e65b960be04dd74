import pytest
import torch
from kinetic_metrics.torchmetrics_states import States

tm = pytest.importorskip("torchmetrics")


def shown(metric, group, ids, *values):
    metric.reset()
    metric.update(*values)
    return States.of(metric, 2, group, ids)


def loaded(metric, states, without=None):
    metric.reset()
    states.load(metric, without)
    metric._update_count = 1
    return metric.compute()


def test_sums_of_groups_put_together_are_those_of_all_and_without_one_of_the_rest():
    x, y, metric = torch.randn(9), torch.randn(9), tm.regression.MeanSquaredError()
    whole = States()
    for group in (2, 0, 1):
        ids = torch.arange(group, 9, 3)
        whole = whole.concat(shown(metric, group, ids, x[ids], y[ids]), metric)
    assert float(loaded(metric, whole)) == pytest.approx(float((x - y).square().mean()))
    kept = torch.arange(9) % 3 != 1
    assert float(loaded(metric, whole, 1)) == pytest.approx(float((x - y)[kept].square().mean()))


def test_rows_of_lists_come_in_the_order_of_the_ids_whoever_saw_them_first():
    x, metric = torch.randn(8), tm.CatMetric()
    late = shown(metric, 0, torch.arange(4, 8), x[4:])
    early = shown(metric, 1, torch.tensor([0, 3, 1, 2]), x[[0, 3, 1, 2]])
    assert torch.equal(loaded(metric, late.concat(early, metric)), x)
    assert torch.equal(loaded(metric, early.concat(late, metric)), x)


def test_extremes_are_those_of_both():
    metric = tm.MaxMetric()
    both = shown(metric, 0, torch.arange(2), torch.tensor([1.0, 5.0]))
    both = both.concat(shown(metric, 0, torch.arange(2, 4), torch.tensor([3.0, 2.0])), metric)
    assert float(loaded(metric, both)) == 5


def test_what_a_metric_sets_beside_its_states_is_brought_back():
    metric = tm.image.FrechetInceptionDistance(torch.nn.Identity(), input_img_size=(3,))
    x = torch.randn(5, 3, dtype=torch.float64)
    states = shown(metric, 0, torch.arange(5), x, False)
    fresh = tm.image.FrechetInceptionDistance(torch.nn.Identity(), input_img_size=(3,))
    states.load(fresh)
    assert fresh.orig_dtype == torch.float64
