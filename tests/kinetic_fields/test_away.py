import pytest
import torch
from kinetic_digits import Digits, MemorisedDigitsField
from kinetic_fields import Away, Gaussian
from kinetic_metrics import Memorisation
from kinetic_solvers import Euler

from kinetic import Runner, TensorData
from kinetic.errors import OptionError
from kinetic.testing import check_field

DATA = TensorData(torch.tensor([[0.0, 0.0], [4.0, 0.0]], dtype=torch.float64))


def test_the_push_is_the_formula_and_ends_where_no_copy_is_ahead():
    """x = (0, y) with v = 0: d1 = y and d2 = sqrt(16 + y^2)."""
    still = Gaussian(size=2, mean=0.0, std=1.0)
    x = torch.tensor([[0.0, 1.0], [0.0, 40.0]], dtype=torch.float64)
    t = torch.full((2,), 0.5, dtype=torch.float64)  # where v = 0 for N(0, I) to N(0, I)
    assert torch.equal(still.velocity(x, t), torch.zeros_like(x))
    v = Away(still, DATA, weight=0.3, lower=0.1, upper=0.5).velocity(x, t)
    h = (0.5 - 1 / 17**0.5) / 0.4
    assert v.flatten().tolist() == pytest.approx([0.0, 0.3 * h / 0.5 * 1.0, 0.0, 0.0])


def test_weight_0_leaves_the_field_alone_and_the_field_keeps_its_promises():
    field = Gaussian(size=2, mean=1.0, std=0.5)
    x, t = torch.randn(5, 2), torch.rand(5)
    assert torch.equal(Away(field, DATA, weight=0.0).velocity(x, t), field.velocity(x, t))
    check_field(Away(field, DATA))


def test_a_net_that_copies_copies_less():
    train, net = Digits(size=256), MemorisedDigitsField()
    plain, away = (
        Runner(field, Euler(steps=20), metrics={"m": Memorisation(train=train)}).run(100, classes=10)
        for field in (net, Away(net, train, weight=1.0))
    )
    assert away.scores["m"]["f_mem"] < 0.5 * plain.scores["m"]["f_mem"]


def test_bad_options_are_named():
    field = Gaussian(size=2)
    with pytest.raises(OptionError, match="'data' must hold 2 points or more, for a second nearest one: 1"):
        Away(field, TensorData(torch.zeros(1, 2)))
    with pytest.raises(OptionError, match=r"'lower' must be below 'upper' = 0\.2: 0\.5"):
        Away(field, DATA, lower=0.5, upper=0.2)
