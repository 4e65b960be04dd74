import attrs
import numpy as np
import pytest
import torch
from kinetic_digits import Digits, DigitsLogits
from kinetic_features import Pixels
from kinetic_metrics import InceptionScore

from kinetic import Samples, evidence
from kinetic.errors import OptionError
from kinetic.testing import check_metric


def judged(metric, x, ids=None):
    return metric.finish(metric.observe(metric.begin(), Samples(torch.arange(len(x)) if ids is None else ids, x)))


def adm(preds, split_size=5000):
    """`compute_inception_score` of the ADM evaluator, from the softmax on, in NumPy."""
    scores = []
    for i in range(0, len(preds), split_size):
        part = preds[i : i + split_size]
        kl = part * (np.log(part) - np.log(np.expand_dims(np.mean(part, 0), 0)))
        kl = np.mean(np.sum(kl, 1))
        scores.append(np.exp(kl))
    return float(np.mean(scores))


def softmax(x):
    return x.double().softmax(1).numpy()


@pytest.mark.parametrize("split_size", [5000, 40, 33])
def test_the_score_is_that_of_the_adm_evaluator(split_size):
    x = 3 * torch.randn(120, 7)
    found = judged(InceptionScore(Pixels(), split_size=split_size), x).values["inception_score"]
    assert found.value == pytest.approx(adm(softmax(x), split_size), rel=1e-12)


def test_the_score_is_torch_fidelitys_of_equal_splits_in_the_same_order():
    isc = pytest.importorskip("torch_fidelity.metric_isc")
    x = 2 * torch.randn(100, 5)
    theirs = isc.isc_features_to_metric(x, splits=4, shuffle=False)["inception_score_mean"]
    found = judged(InceptionScore(Pixels(), split_size=25), x).values["inception_score"]
    assert found.value == pytest.approx(theirs, rel=1e-9)


def test_the_score_is_torchmetrics_of_one_split():
    image = pytest.importorskip("torchmetrics.image")
    x = 2 * torch.randn(90, 5)
    with pytest.warns(UserWarning, match="will save all extracted features"):
        theirs = image.InceptionScore(feature=torch.nn.Identity(), splits=1)
    theirs.update(x)
    with pytest.warns(UserWarning, match=r"std\(\): degrees of freedom"):
        expected = float(theirs.compute()[0])
    assert judged(InceptionScore(Pixels()), x).values["inception_score"].value == pytest.approx(expected, rel=1e-5)


def test_one_sure_sample_of_each_class_scores_the_number_of_classes_and_equal_ones_1():
    assert judged(InceptionScore(Pixels()), 1e3 * torch.eye(6)).values["inception_score"].value == pytest.approx(6)
    assert judged(InceptionScore(Pixels()), torch.ones(9, 5)).values["inception_score"].value == pytest.approx(1)


def test_the_interval_is_the_jackknife_over_groups_of_ids_within_their_splits():
    x = 2 * torch.randn(200, 4)
    found = judged(InceptionScore(Pixels(), split_size=100), x).values["inception_score"]
    groups, p = evidence.groups(np.arange(200)), softmax(x)

    def of(kept):
        return np.mean([adm(p[s : s + 100][kept[s : s + 100]]) for s in (0, 100)])

    expected = evidence.jackknife(found.value, [of(groups != g) for g in range(20)])
    assert found.leave_out.tolist() == pytest.approx(expected.leave_out.tolist(), rel=1e-9)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-6)
    halves = [of(groups < 10), of(groups >= 10)]
    assert found.unbiased == pytest.approx(2 * found.value - np.mean(halves), rel=1e-9)


def test_the_value_of_differences_is_freed_of_the_bias_that_the_score_has():
    p = torch.tensor([0.4, 0.3, 0.2, 0.1])
    truth = float(torch.exp(-(p * p.log()).sum()))  # of samples of which the classifier is sure
    draws = [1e3 * torch.eye(4)[torch.multinomial(p, 80, replacement=True)] for _ in range(600)]
    found = [judged(InceptionScore(Pixels()), x).values["inception_score"] for x in draws]
    bias = np.mean([each.value for each in found]) - truth
    left = np.mean([each.unbiased for each in found]) - truth
    assert bias < -0.04
    assert abs(left) < 0.02
    expected = truth + bias  # at this n
    assert 0.9 < np.mean([each.low <= expected <= each.high for each in found]) < 0.99


def test_with_few_samples_a_class_there_is_no_difference_between_arms_and_a_note_says_so():
    score = judged(InceptionScore(Pixels()), torch.randn(100, 30))
    found = score.values["inception_score"]
    assert found.low is not None
    assert found.leave_out is None
    assert score.notes[-1].startswith("100 samples of a split are few for 30 classes (below 4 times)")


def test_without_enough_samples_there_is_no_interval_and_a_note_says_why():
    score = judged(InceptionScore(Pixels()), torch.randn(59, 3))
    assert score.values["inception_score"].low is None
    assert score.notes[-1] == "No interval: 59 samples, below 60."
    ids = torch.arange(10_000)[torch.from_numpy(evidence.groups(np.arange(10_000)) == 0)][:64]
    score = judged(InceptionScore(Pixels(), split_size=64), torch.randn(64, 3), ids)
    assert score.notes[-1] == "No interval: a split lies in one group of samples."


def test_the_last_split_may_be_smaller_and_a_note_says_so():
    [note] = judged(InceptionScore(Pixels(), split_size=50), torch.randn(110, 2)).notes[:1]
    assert note == "Inception Score of 110 samples in 3 splits of 50, the last of 10, of 2 classes."


def test_it_keeps_every_promise_on_digits():
    x = Digits(split="test").read(0, 70)
    metric = InceptionScore(DigitsLogits(), split_size=30)
    check_metric(metric, Samples(torch.arange(70), x))
    assert 5 < judged(attrs.evolve(metric, split_size=5000), x).values["inception_score"].value < 10


def test_logits_of_one_class_are_refused():
    with pytest.raises(OptionError, match="'logits' must be of 2 classes or more: 1"):
        judged(InceptionScore(Pixels()), torch.randn(5, 1))
