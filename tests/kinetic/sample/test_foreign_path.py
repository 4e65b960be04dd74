import pytest
import torch
from kinetic_energy import KPE, Path
from kinetic_schedules import Constant

from kinetic._sample.foreign_path import ForeignPath, Gain
from kinetic.errors import OptionError, ShapeError

X = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
V = torch.tensor([[2.0, 0.0], [0.0, 4.0]])


def opened(t0=0.0, schedule=None):
    return ForeignPath({"kpe": KPE(), "path": Path()}, Gain(schedule), X, t0)


def test_a_path_over_part_of_the_time_is_compared_with_the_straight_one_of_that_time():
    path = opened(t0=0.5)
    path.add(0.75, X, X + V / 4, [(0.5, V, 1.0)])
    path.add(0.9, X + V / 4, X + 0.4 * V, [(0.75, V, 1.0)])
    columns = path.columns()
    assert columns["kpe"].tolist() == pytest.approx([0.8, 3.2])  # 0.4 of 1/2 ||v||^2 = 2 and 8
    assert columns["displacement"].tolist() == pytest.approx([0.8, 3.2])
    assert columns["bending"].tolist() == pytest.approx([0.0, 0.0], abs=1e-6)
    assert columns["tortuosity"].tolist() == pytest.approx([1.0, 1.0])
    assert (columns["t_start"].tolist(), columns["t_end"].tolist()) == ([0.5, 0.5], [0.9, 0.9])
    assert columns["gain"].tolist() == [0.9, 0.9]
    assert columns["nfe"].tolist() == [2.0, 2.0]


def test_samples_moved_by_something_else_lose_what_joins_their_ends_alone():
    path = opened()
    path.add(0.5, X, X + V / 2, [(0.0, V, 1.0)])
    elsewhere = X + V / 2
    elsewhere[1] += 0.5
    path.add(1.0, elsewhere, elsewhere + V / 2, [(0.5, V, 1.0)])
    columns = path.columns()
    assert columns["edits"].tolist() == [0.0, 1.0]
    assert columns["kpe"].tolist() == pytest.approx([2.0, 8.0])
    assert columns["length"].tolist() == pytest.approx([2.0, 4.0])
    for name in ("displacement", "bending", "tortuosity"):
        assert columns[name].isnan().tolist() == [False, True], name


def test_a_step_of_no_length_moves_and_costs_nothing():
    path = opened()
    path.add(1.0, X, X + V, [(0.0, V, 1.0)])
    path.add(1.0, X + V, X + 2 * V, [(1.0, V, 1.0)])
    columns = path.columns()
    assert columns["kpe"].tolist() == pytest.approx([2.0, 8.0])
    assert columns["x1_sq"].tolist() == pytest.approx([16.0, 82.0])


def test_states_that_a_loop_writes_over_are_kept():
    x = X.clone()
    path = ForeignPath({"kpe": KPE()}, Gain(None), x, 0.0)
    path.add(0.5, x, x + V / 2, [(0.0, V, 1.0)])
    x += V / 2
    path.add(1.0, x, x + V / 2, [(0.5, V, 1.0)])
    assert path.columns()["displacement"].tolist() == pytest.approx([2.0, 8.0])
    assert path.columns()["edits"].tolist() == [0.0, 0.0]


def test_steps_that_go_back_or_change_the_shape_are_refused():
    path = opened(t0=0.5)
    with pytest.raises(OptionError, match=r"must end after t = 0\.5, where it begins: 0\.25"):
        path.add(0.25, X, X, [(0.5, V, 1.0)])
    with pytest.raises(ShapeError, match=r"began with states of shape \(2, 2\), and a step of it has \(2, 3\)"):
        path.add(1.0, X, X, [(0.5, torch.zeros(2, 3), 1.0)])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_a_gain_is_rounded_once_to_the_type_of_the_velocity(dtype):
    v = torch.randn(2, 5).to(dtype)
    for value in (None, Constant(1.0)):
        assert torch.equal(Gain.times(v, Gain(value).at(0.0, v, v)), v)
    shaped = Gain.times(v, Gain(Constant(1.01)).at(0.0, v, v))
    assert shaped.dtype == dtype
    half_a_unit = torch.finfo(dtype).eps / 2
    assert bool(
        ((shaped.double() - 1.01 * v.double()).abs() <= 1.01 * half_a_unit * (1.01 * v.double()).abs() + 1e-7).all()
    )


def test_closed_paths_keep_their_numbers_alone():
    path = opened()
    path.add(1.0, X, X + V, [(0.0, V, 1.0)])
    before = path.columns()
    path.close()
    assert path.columns().keys() == before.keys()
    assert not hasattr(path, "accounts")
