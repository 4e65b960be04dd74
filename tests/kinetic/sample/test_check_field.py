"""What a field does wrong is said in one error before a sample is drawn."""

import attrs
import pytest
import torch
from kinetic_fields import Empirical, Gaussian, Reversed
from kinetic_solvers import Euler
from torch import nn

from kinetic import Runner, VelocityField
from kinetic.errors import FieldError, ShapeError


@attrs.frozen(eq=False)
class Mine(VelocityField):
    answer: object
    event_shape = torch.Size([6])

    def velocity(self, x, t, batch=None):
        return self.answer(x, t, batch)


def run(answer, **more):
    return Runner(Mine(answer), Euler(steps=2)).run(3, **more)


def test_an_error_of_the_net_comes_with_what_it_was_given():
    net = nn.Linear(5, 6)
    with pytest.raises(FieldError) as caught:
        run(lambda x, t, batch: net(x))
    assert "Mine raised RuntimeError when asked for a velocity: " in str(caught.value)
    assert "mat1 and mat2 shapes" in str(caught.value)
    assert "It was given x (2, 6) torch.float32, t (2,) torch.float32" in str(caught.value)
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_a_net_of_another_type_is_told_which_types_it_was_given():
    net = nn.Linear(1, 6).bfloat16()
    with pytest.raises(FieldError, match=r"x \(2, 6\) torch.bfloat16, t \(2,\) torch.float32"):
        run(lambda x, t, batch: net(t[:, None]), dtype=torch.bfloat16)


def test_a_class_that_the_net_does_not_know_is_named():
    table = nn.Embedding(1, 6)
    with pytest.raises(FieldError, match=r"index out of range[^\n]*\n.*condition \(2,\) torch.int64 up to 1"):
        run(lambda x, t, batch: table(batch.condition), classes=2)


def test_an_answer_that_is_no_tensor_is_refused():
    with pytest.raises(ShapeError, match="Mine answered with a tuple, not a tensor"):
        run(lambda x, t, batch: (x, t))


def test_a_net_that_is_zero_everywhere_is_refused():
    with pytest.raises(FieldError, match=r"Mine is 0 for all 2 samples at t = 0 and at t = 0\.5: nothing would move"):
        run(lambda x, t, batch: 0 * x)


def test_a_field_that_is_zero_at_the_start_alone_moves():
    assert run(lambda x, t, batch: x * t[:, None]).state.isfinite().all()


def test_a_field_may_use_autograd_inside():
    def slope(x, t, batch):
        with torch.enable_grad():
            at = x.detach().requires_grad_()
            return -torch.autograd.grad(at.square().sum() / 2, at)[0]

    state = run(slope, dtype=torch.float64)
    plain = run(lambda x, t, batch: -x, dtype=torch.float64)
    assert torch.equal(state.state, plain.state)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda v: lambda x, t: -v(x, t), "the sign were wrong, or the net predicted the noise"),
        (lambda v: lambda x, t: v(x, t) + x, "predicted the data x1"),
        (lambda v: lambda x, t: v(x, t) / 2, "the velocity were halved"),
        (lambda v: lambda x, t: v(x, 1 - t), "time ran the other way, t = 1 at the noise"),
        (lambda v: lambda x, t: -v(x, 1 - t), "both the sign were wrong and time ran the other way"),
    ],
)
def test_a_field_that_points_elsewhere_is_noted_with_the_mistake_it_looks_like(wrong, words):
    right = Empirical(torch.randn(9, 6, generator=torch.Generator().manual_seed(1))).velocity
    velocity = wrong(lambda x, t: right(x, t.clamp(0, 0.9)))
    (warning,) = run(lambda x, t, batch: velocity(x, t)).warnings
    assert words in warning


@pytest.mark.parametrize(
    "field", [Gaussian(size=1), Gaussian(size=2, mean=5.0, std=0.1), Gaussian(size=3000, mean=1.0)]
)
def test_a_flow_from_noise_is_not_noted_in_few_dimensions_or_many(field):
    assert Runner(field, Euler(steps=2)).run(2).warnings == ()


def test_a_run_that_begins_at_data_is_not_asked_which_way_it_points():
    assert Runner(Reversed(Gaussian(size=4)), Euler(steps=2)).run(3, start=torch.randn(3, 4)).warnings == ()


def test_a_net_made_for_times_up_to_1000_that_is_told_t_is_noted():
    right = Empirical(torch.randn(9, 6, generator=torch.Generator().manual_seed(1))).velocity
    (warning,) = run(lambda x, t, batch: right(x, t / 1000)).warnings
    assert "Mine hardly depends on t" in warning
    assert run(lambda x, t, batch: right(x, t.clamp(0, 0.9))).warnings == ()


def test_a_net_made_for_times_in_the_unit_interval_that_is_told_1000_t_is_noted():
    points = torch.randn(9, 6, generator=torch.Generator().manual_seed(1))

    def waves(x, t):
        """Sees its time as cos(pi t), as embeddings do."""
        return Empirical(points).velocity(x, torch.acos((torch.pi * t).cos().clamp(-1, 1)) / torch.pi)

    assert run(lambda x, t, batch: waves(x, t)).warnings == ()
    (warning,) = run(lambda x, t, batch: waves(x, 1000 * t)).warnings
    assert "Mine jumps with t: from t = 0.5 to t = 0.501" in warning
    assert "a net made for times in [0, 1] were told times up to 1000" in warning


@pytest.mark.parametrize("begins", [0.5, 0.5005])
def test_a_field_that_changes_where_it_says_so_is_not_noted(begins):
    class Stepped(VelocityField):
        event_shape = torch.Size([6])
        breakpoints = (begins,)

        def velocity(self, x, t, batch=None):
            return Gaussian(size=6).velocity(x, t) * torch.where(t >= begins, 3, 1).view(-1, 1)

    assert Runner(Stepped(), Euler(steps=2)).run(2).warnings == ()


def test_a_field_that_knows_few_samples_is_asked_for_no_others():
    means = torch.zeros(3, 6)
    assert run(lambda x, t, batch: (means[batch.ids] - x) * (1 - 2 * t[:, None])).warnings == ()
