import math

import numpy as np
import pytest
import torch
from kinetic_metrics import VendiScore
from kinetic_metrics import vendi as module
from kinetic_metrics.vendi import vendi_score

from kinetic import Samples, evidence
from kinetic.errors import OptionError
from kinetic.testing import check_metric


def score(metric, x):
    samples = Samples(torch.arange(len(x)), x)
    return metric.finish(metric.observe(metric.begin(), samples))


def by_formula(x, q=1.0):
    """From K itself, n x n, whatever its width."""
    x = x.double().numpy()
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    share = np.linalg.eigvalsh(unit @ unit.T / len(x))
    share = share[share > 1e-12]
    if q == 1:
        return float(np.exp(-np.sum(share * np.log(share))))
    return float(np.sum(share**q) ** (1 / (1 - q)))


@pytest.mark.parametrize("q", [0.5, 1.0, 2.0])
@pytest.mark.parametrize(("n", "f"), [(30, 7), (12, 40), (20, 20)])
def test_the_score_is_its_formula_on_either_side_of_n_equals_f(n, f, q):
    x = torch.randn(n, f, dtype=torch.float64) + 0.3
    found = score(VendiScore(q=q), x)
    assert found.values["vendi"].value == pytest.approx(by_formula(x, q), rel=1e-9)


def test_orthogonal_samples_count_each_and_equal_ones_once():
    assert score(VendiScore(), torch.eye(9)).values["vendi"].value == pytest.approx(9, rel=1e-12)
    assert score(VendiScore(), torch.ones(9, 5)).values["vendi"].value == pytest.approx(1, rel=1e-12)
    classes = torch.eye(4)[torch.arange(40) % 4] * (1 + torch.rand(40, 1))  # cosines do not see lengths
    for q in (0.5, 1.0, 3.0):
        assert score(VendiScore(q=q), classes).values["vendi"].value == pytest.approx(4, rel=1e-9)


def test_unequal_classes_give_the_exponential_of_their_entropy():
    classes = torch.eye(3)[torch.tensor([0] * 5 + [1] * 3 + [2] * 2)]
    entropy = -sum(p * math.log(p) for p in (0.5, 0.3, 0.2))
    assert score(VendiScore(), classes).values["vendi"].value == pytest.approx(math.exp(entropy), rel=1e-12)
    two = score(VendiScore(q=2.0), classes).values["vendi"].value
    assert two == pytest.approx(1 / (0.25 + 0.09 + 0.04), rel=1e-12)


@pytest.mark.parametrize("q", [1e4, 2.0**63, 1e308])
def test_the_largest_orders_give_the_inverse_of_the_largest_share(q):
    gram = torch.diag(torch.tensor([5.0, 3.0, 2.0], dtype=torch.float64))
    assert vendi_score(gram, 10, q) == pytest.approx(2.0, rel=1e-3)


def test_order_1_is_the_limit_of_its_neighbours():
    x = torch.randn(25, 6, dtype=torch.float64)
    gram = torch.nn.functional.normalize(x).T @ torch.nn.functional.normalize(x)
    below, at, above = (vendi_score(gram, 25, q) for q in (1 - 1e-5, 1.0, 1 + 1e-5))
    assert below > at > above
    assert (below + above) / 2 == pytest.approx(at, rel=1e-8)


@pytest.mark.parametrize("f", [6, 200])
def test_the_interval_is_the_jackknife_of_the_formula_over_groups_of_ids(f):
    x = torch.randn(120, f, dtype=torch.float64) + 0.5
    found = score(VendiScore(), x).values["vendi"]
    groups = evidence.groups(np.arange(120))
    expected = evidence.jackknife(by_formula(x), [by_formula(x[groups != g]) for g in range(evidence.GROUPS)])
    assert found.leave_out.tolist() == pytest.approx(expected.leave_out.tolist(), rel=1e-9)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-6)


def test_the_interval_ends_where_the_score_does():
    alike = torch.ones(80, 5) + 0.3 * (torch.arange(80) == 7)[:, None] * torch.eye(5)[0]
    found = score(VendiScore(), alike).values["vendi"]
    assert found.low == 1 < found.value < found.high
    whole = score(VendiScore(), torch.randn(3000, 2)).values["vendi"]
    assert whole.value < 2 == whole.high


def test_where_it_would_cost_much_or_mean_little_there_is_no_interval(monkeypatch):
    few = score(VendiScore(), torch.randn(59, 3))
    assert few.values["vendi"].low is None
    assert few.notes[-1] == "No interval: 59 samples, below 60."
    monkeypatch.setattr(module, "_WIDEST", 8)
    wide = score(VendiScore(), torch.randn(80, 9))
    assert wide.values["vendi"].low is None
    assert wide.notes[-1] == "No interval: 9 samples and features, above 8."
    assert score(VendiScore(), torch.randn(80, 8)).values["vendi"].low is not None


def test_few_samples_for_the_score_are_flagged():
    found = score(VendiScore(), torch.randn(30, 50))
    assert found.notes[0] == "Vendi score of 30 samples, in 50 Pixels features."
    assert found.notes[1] == "30 samples are few for this score: it grows with n, to 30 at the most."
    assert len(score(VendiScore(q=2.0), torch.ones(60, 5)).notes) == 1


@pytest.mark.parametrize("f", [4, 100])
def test_the_contract_of_a_metric_is_kept(f):
    x = torch.randn(70, f)
    check_metric(VendiScore(), Samples(torch.randperm(70), x))


def test_bad_input_is_named():
    metric = VendiScore()
    with pytest.raises(OptionError, match="Pixels features have no cosine where they are all 0"):
        score(metric, torch.zeros(4, 3))
    with pytest.raises(OptionError, match="'q' must be a number > 0: 0"):
        VendiScore(q=0)
