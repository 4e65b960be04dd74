import pytest
import torch
from kinetic_energy import KPE
from kinetic_schedules import Constant

from kinetic import Stage, Step
from kinetic._sample.accounts import Accounts


def step(rows, t0, t1, value):
    m = 4 if isinstance(rows, slice) else len(rows)
    times = [torch.full((m,), t, dtype=torch.float64) for t in (t0, t1)]
    v = torch.full((m, 2), value)
    return Step(rows, *times, torch.zeros(m, 2), v, (Stage(times[0], v, 1.0),))


def test_rows_that_move_at_different_times_keep_their_own_accounts():
    accounts = Accounts({"kpe": KPE()}, 4, torch.device("cpu"))
    accounts.add(step(slice(None), 0.0, 0.5, 1.0), Constant(0.9))
    accounts.add(step(torch.tensor([3, 1]), 0.5, 1.0, 2.0), Constant(0.9))
    accounts.add(step(torch.tensor([0, 2]), 0.5, 0.75, 3.0), Constant(0.9))
    assert accounts.sums["kpe"]["kpe"].tolist() == pytest.approx([2.75, 2.5, 2.75, 2.5])
    assert accounts.gain.tolist() == pytest.approx([0.675, 0.9, 0.675, 0.9])


def test_the_clock_of_each_sample_is_the_end_of_its_last_step():
    accounts = Accounts({}, 4, torch.device("cpu"))
    accounts.add(step(slice(None), 0.0, 0.5, 1.0), None)
    accounts.add(step(torch.tensor([0, 3]), 0.5, 1.0, 1.0), None)
    assert accounts.clock.tolist() == [1.0, 0.5, 0.5, 1.0]


def test_what_a_step_computed_for_one_meter_is_not_changed_for_another():
    accounts = Accounts({"kpe": KPE(), "again": KPE(split=0.3)}, 4, torch.device("cpu"))
    for start in (0.0, 0.25):
        accounts.add(step(slice(None), start, start + 0.25, 2.0), None)
    assert torch.equal(accounts.sums["kpe"]["kpe"], accounts.sums["again"]["kpe"])
    assert accounts.sums["kpe"]["kpe"].tolist() == pytest.approx([2.0] * 4)
