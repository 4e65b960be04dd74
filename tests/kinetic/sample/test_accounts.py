import pytest
import torch
from kinetic_energy import KPE
from kinetic_fields import Gaussian
from kinetic_schedules import Constant

from kinetic import Batch, Stage, Step
from kinetic._sample.accounts import Accounts
from kinetic._sample.dynamics import Dynamics


def opened(meters, schedule=None):
    x0 = torch.zeros(4, 2)
    return Accounts(meters, Dynamics.of(Gaussian(), schedule, Batch(torch.arange(4)), x0), x0)


def step(rows, t0, t1, value):
    m = 4 if isinstance(rows, slice) else len(rows)
    times = [torch.full((m,), t, dtype=torch.float64) for t in (t0, t1)]
    v = torch.full((m, 2), value)
    return Step(rows, *times, torch.zeros(m, 2), v, (Stage(times[0], v, 1.0),))


def test_rows_that_move_at_different_times_keep_their_own_accounts():
    accounts = opened({"kpe": KPE()}, Constant(0.9))
    accounts.add(step(slice(None), 0.0, 0.5, 1.0))
    accounts.add(step(torch.tensor([3, 1]), 0.5, 1.0, 2.0))
    accounts.add(step(torch.tensor([0, 2]), 0.5, 0.75, 3.0))
    assert accounts.sums["kpe"]["kpe"].tolist() == pytest.approx([2.75, 2.5, 2.75, 2.5])
    assert accounts.gain.tolist() == pytest.approx([0.675, 0.9, 0.675, 0.9])


def test_the_clock_of_each_sample_is_the_end_of_its_last_step():
    accounts = opened({})
    accounts.add(step(slice(None), 0.0, 0.5, 1.0))
    accounts.add(step(torch.tensor([0, 3]), 0.5, 1.0, 1.0))
    assert accounts.clock.tolist() == [1.0, 0.5, 0.5, 1.0]


def test_what_a_step_computed_for_one_meter_is_not_changed_for_another():
    accounts = opened({"kpe": KPE(), "again": KPE(split=0.3)})
    for start in (0.0, 0.25):
        accounts.add(step(slice(None), start, start + 0.25, 2.0))
    assert torch.equal(accounts.sums["kpe"]["kpe"], accounts.sums["again"]["kpe"])
    assert accounts.sums["kpe"]["kpe"].tolist() == pytest.approx([2.0] * 4)


def test_without_a_gain_the_time_reached_is_the_noise_that_is_left():
    accounts = opened({})
    accounts.add(step(slice(None), 0.0, 0.5, 1.0))
    assert accounts.gain.tolist() == [0.5] * 4


def test_a_meter_that_saw_no_step_still_has_its_columns():
    columns = opened({"kpe": KPE()}).columns(torch.zeros(4, 2))
    assert columns["kpe"]["kpe"].tolist() == [0.0] * 4
