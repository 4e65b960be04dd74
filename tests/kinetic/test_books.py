import pytest
import torch
from kinetic_energy import KPE
from kinetic_schedules import Constant

from kinetic import Stage, Step
from kinetic._books import Books
from kinetic.errors import NonFiniteError


def step(rows, t0, t1, value):
    m = 4 if isinstance(rows, slice) else len(rows)
    times = [torch.full((m,), t, dtype=torch.float64) for t in (t0, t1)]
    v = torch.full((m, 2), value)
    return Step(rows, *times, torch.zeros(m, 2), v, (Stage(times[0], v, 1.0),))


def test_rows_that_move_at_different_times_keep_their_own_accounts():
    books = Books({"kpe": KPE()}, 4, torch.device("cpu"))
    books.enter(step(slice(None), 0.0, 0.5, 1.0), Constant(0.9))
    books.enter(step(torch.tensor([3, 1]), 0.5, 1.0, 2.0), Constant(0.9))
    books.enter(step(torch.tensor([0, 2]), 0.5, 0.75, 3.0), Constant(0.9))
    assert books.sums["kpe"]["kpe"].tolist() == pytest.approx([2.75, 2.5, 2.75, 2.5])
    assert books.gain.tolist() == pytest.approx([0.675, 0.9, 0.675, 0.9])


def test_what_is_not_finite_is_named_with_the_time_it_began():
    books = Books({}, 4, torch.device("cpu"))
    books.enter(step(slice(None), 0.0, 0.5, 1.0), None)
    books.enter(step(torch.tensor([0, 1, 3]), 0.5, 1.0, 1.0), None)
    books.enter(step(torch.tensor([2]), 0.5, 1.0, float("inf")), None)
    with pytest.raises(NonFiniteError) as caught:
        books.check(torch.zeros(4, 2), torch.arange(10, 14))
    assert (caught.value.ids, caught.value.t) == ((12,), 0.5)
