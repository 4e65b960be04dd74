import pytest
import torch
from kinetic_digits import Digits, DigitsFeatures, DigitsField, MemorisedDigitsField, SmallDigitsField
from kinetic_metrics import Memorisation
from kinetic_solvers import Euler

from kinetic import Batch, Runner
from kinetic.errors import OptionError, ShapeError
from kinetic.testing import check_field


@pytest.mark.parametrize(
    ("field", "size", "low", "high"),
    [(DigitsField, None, 0.0, 0.02), (MemorisedDigitsField, 256, 0.2, 0.9), (SmallDigitsField, 128, 0.2, 0.9)],
)
def test_one_net_generalises_and_the_other_memorises(field, size, low, high):
    metrics = {"memorisation": Memorisation(train=Digits(size=size))}
    run = Runner(field=field(), solver=Euler(steps=100), metrics=metrics).run(1000, classes=10)
    assert low <= run.scores["memorisation"]["f_mem"] <= high
    taken_for = DigitsFeatures().class_logits(run.samples).argmax(1)
    assert (taken_for == run.condition).double().mean() > 0.95


@pytest.mark.parametrize("field", [DigitsField, MemorisedDigitsField, SmallDigitsField])
def test_the_contract_of_a_field_is_kept_with_and_without_classes(field):
    check_field(field())
    check_field(field(), torch.arange(6))


def test_without_a_class_the_null_class_is_used():
    field, x, t = DigitsField(), torch.randn(4, 1, 8, 8), torch.rand(4)
    assert torch.equal(field.velocity(x, t), field.velocity(x, t, Batch(torch.arange(4))))
    assert not torch.allclose(field.velocity(x, t), field.velocity(x, t, Batch(torch.arange(4), torch.arange(4))))


def test_bad_input_is_named():
    field, x, t = DigitsField(), torch.randn(2, 1, 8, 8), torch.rand(2)
    for labels in (torch.tensor([0, 10]), torch.tensor([-1, 0]), torch.tensor([0.0, 1.0])):
        with pytest.raises(OptionError, match="each digit needs a class from 0 to 9"):
            field.velocity(x, t, Batch(torch.arange(2), labels))
    with pytest.raises(ShapeError, match=r"digits have shape \(1, 8, 8\), the samples \(3, 8, 8\)"):
        field.velocity(torch.randn(2, 3, 8, 8), t)


@pytest.mark.parametrize("field", [DigitsField, MemorisedDigitsField, SmallDigitsField])
def test_another_default_dtype_changes_nothing(field, other_default):
    x, t, batch = torch.randn(4, 1, 8, 8), torch.rand(4), Batch(torch.arange(4), torch.arange(4))
    velocity = field().velocity(x, t, batch)
    with other_default():
        assert torch.equal(field().velocity(x, t, batch), velocity)


def test_the_six_trainings_of_the_small_net_are_six_nets():
    x, t = torch.randn(3, 1, 8, 8), torch.rand(3)
    answers = [SmallDigitsField(training=k).velocity(x, t) for k in range(1, 7)]
    assert all(not torch.allclose(a, b) for i, a in enumerate(answers) for b in answers[:i])
    for wrong in (0, 7, 1.5):
        with pytest.raises(OptionError, match="'training' must be an int"):
            SmallDigitsField(training=wrong)
