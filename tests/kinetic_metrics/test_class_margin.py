import attrs
import pytest
import torch
from kinetic_digits import Digits, DigitsField, DigitsLogits
from kinetic_features import Pixels
from kinetic_metrics import ClassMargin
from kinetic_solvers import Euler
from sklearn.metrics import accuracy_score, recall_score

import kinetic
from kinetic import Samples, evidence
from kinetic.errors import OptionError
from kinetic.testing import check_metric


def score(metric, x, asked):
    samples = Samples(torch.arange(len(x)), x, asked)
    return metric.finish(metric.observe(metric.begin(), samples))


def test_accuracy_by_class_is_scikit_learns():
    logits, asked = torch.randn(200, 5), torch.arange(200) % 5
    logits[torch.arange(200), asked] += 1
    found = score(ClassMargin(logits=Pixels()), logits, asked)
    taken = logits.argmax(1)
    assert found.values["accuracy"].value == pytest.approx(accuracy_score(asked, taken))
    by_class = recall_score(asked, taken, average=None)
    assert [found.values[f"accuracy_{c}"].value for c in range(5)] == pytest.approx(by_class.tolist())
    assert found.columns["correct"].tolist() == (taken == asked).tolist()
    expected = evidence.proportion((taken == asked).numpy())
    assert (found.values["accuracy"].low, found.values["accuracy"].high) == (expected.low, expected.high)
    worst = int(by_class.argmin())
    assert found.notes[1] == f"Lowest for class {worst}: {by_class[worst]:.3f} of 40 samples."


def test_probability_margins_are_those_of_the_softmax_and_stay_in_one():
    logits, asked = 30 * torch.randn(50, 4), torch.arange(50) % 4
    found = score(ClassMargin(logits=Pixels(), scale="probability"), logits, asked)
    p = torch.softmax(logits.double(), 1)
    expected = [float(row[y] - max(row[c] for c in range(4) if c != y)) for row, y in zip(p, asked, strict=True)]
    assert found.columns["margin"].tolist() == pytest.approx(expected)
    assert float(found.columns["margin"].abs().max()) <= 1


def test_a_classifier_that_cannot_choose_is_not_correct():
    found = score(ClassMargin(logits=Pixels()), torch.zeros(4, 3), torch.zeros(4, dtype=torch.int64))
    assert found.values["accuracy"].value == 0
    assert found.columns["margin"].tolist() == [0.0] * 4


def test_any_classifier_fits():
    @attrs.frozen(eq=False)
    class Mine(kinetic.FeatureSpace):
        net: torch.nn.Module = attrs.field(factory=lambda: torch.nn.Linear(6, 3).double())

        def features(self, x):
            return self.net(x.double())

    x, asked = torch.randn(30, 6), torch.arange(30) % 3
    mine = Mine()
    found = score(ClassMargin(logits=mine), x, asked)
    taken = mine.features(x).argmax(1)
    assert found.values["accuracy"].value == pytest.approx(float((taken == asked).double().mean()))


def test_held_out_digits_are_taken_for_what_they_are():
    test = Digits("test")
    found = score(ClassMargin(logits=DigitsLogits()), test.read(0, 360), test.labels)
    assert found.values["accuracy"].value >= 0.97
    assert found.values["margin"].value > 3
    wrong = score(ClassMargin(logits=DigitsLogits()), test.read(0, 360), (test.labels + 1) % 10)
    assert wrong.values["accuracy"].value < 0.03


def test_the_runner_asks_for_classes_and_keeps_a_number_for_each_sample():
    run = kinetic.Runner(
        field=DigitsField(), solver=Euler(steps=20), metrics={"asked": ClassMargin(logits=DigitsLogits())}
    ).run(samples=40, classes=10)
    assert run.scores["asked"]["accuracy"] > 0.7
    assert {"asked.margin", "asked.correct"} <= set(run.table.column_names)


def test_more_than_twenty_classes_are_told_in_a_note_alone():
    asked = torch.arange(60) % 30
    found = score(ClassMargin(logits=Pixels()), torch.randn(60, 30), asked)
    assert set(found.values) == {"margin", "accuracy"}
    assert found.notes[1].startswith("Lowest for class")


def test_the_contract_of_a_metric_is_kept():
    x = torch.randn(12, 3)
    samples = Samples(torch.randperm(12), x, torch.arange(12) % 3)
    check_metric(ClassMargin(logits=Pixels()), samples)
    check_metric(ClassMargin(logits=Pixels(), scale="probability"), samples)


def test_bad_input_is_named():
    metric, asked = ClassMargin(logits=Pixels()), torch.zeros(4, dtype=torch.int64)
    with pytest.raises(
        OptionError, match=r"needs a class for each sample\n  In a recipe set `classes = N` .*--set samples.labels="
    ):
        score(metric, torch.zeros(4, 3), None)
    with pytest.raises(OptionError, match="'logits' are of 3 classes, the samples ask for class 7"):
        score(metric, torch.zeros(4, 3), asked + 7)
    with pytest.raises(OptionError, match="'logits' must be of 2 classes or more: 1"):
        score(metric, torch.zeros(4, 1), asked)
