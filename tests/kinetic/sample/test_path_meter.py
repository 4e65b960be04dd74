import pytest
import torch
from kinetic_energy import KPE, PowerProfile
from kinetic_fields import Gaussian
from kinetic_solvers import Heun

import kinetic
from kinetic.errors import OptionError


def test_steps_entered_by_hand_are_weighed_as_the_runner_weighs_them():
    field = Gaussian()
    x0 = torch.randn(5, *field.event_shape, dtype=torch.float64)
    meter = kinetic.PathMeter({"kpe": KPE(), "power": PowerProfile(bins=5)})
    x, n = x0, 8
    for i in range(n):
        t0, t1 = i / n, (i + 1) / n
        first = field.velocity(x, torch.full((5,), t0, dtype=torch.float64))
        second = field.velocity(x + first / n, torch.full((5,), t1, dtype=torch.float64))
        after = x + (first + second) / (2 * n)
        meter.add(t0, t1, x, after, [(t0, first, 0.5), (t1, second, 0.5)])
        x = after
    run = kinetic.Runner(field=field, solver=Heun(steps=n), meters={"kpe": KPE(), "power": PowerProfile(bins=5)}).run(
        5, start=x0, dtype=torch.float64, device="cpu"
    )
    for name in run.energy:
        assert torch.allclose(meter.energy[name], run.energy[name], rtol=1e-9), name


def test_a_step_that_does_not_go_on_from_the_last_begins_a_path():
    meter, x, v = kinetic.PathMeter({"kpe": KPE()}), torch.zeros(2, 3), torch.ones(2, 3)
    for _ in range(2):
        meter.add(0.0, 0.5, x, x + v / 2, v)
        meter.add(0.5, 1.0, x + v / 2, x + v, v)
    meter.add(0.0, 0.5, x[:1], x[:1] + v[:1] / 2, v[:1])
    assert meter.energy["path"].tolist() == [0.0, 0.0, 1.0, 1.0, 2.0]
    assert meter.energy["kpe"].tolist() == pytest.approx([1.5, 1.5, 1.5, 1.5, 0.75])
    assert meter.table.num_rows == 5
    assert meter.table.column_names[:4] == ["sample", "path", "nfe", "kpe"]
    assert meter.table["sample"].to_pylist() == [0, 1, 2, 3, 4]


def test_notes_say_where_paths_begin_late_stop_early_are_edited_or_not_finite():
    meter, x, v = kinetic.PathMeter({"kpe": KPE()}), torch.zeros(2, 3), torch.ones(2, 3)
    meter.add(0.25, 0.5, x, x + v / 4, v)
    meter.add(0.5, 0.75, x + v, x + v * torch.tensor([[1.0], [torch.nan]]), v)
    text = " ".join(meter.notes)
    for words in (
        "2 of 2 samples stop at t = 0.75",
        "2 of 2 samples begin at t = 0.25",
        "2 of 2 samples were moved between steps by something else",
        "1 of 2 samples are not finite",
    ):
        assert words in text


def test_an_account_without_steps_has_no_rows_and_says_so():
    meter = kinetic.PathMeter({"kpe": KPE()})
    meter.begin(torch.zeros(2, 3))
    assert meter.energy == {}
    assert meter.table.num_rows == 0
    assert meter.notes == ("Nothing was weighed: no step was made.",)
    meter.close()
    assert meter.paths == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"meters": KPE()}, "'meters' must map names to EnergyMeters"),
        ({"meters": {"kpe": KPE}}, "'meters' must map names to EnergyMeters"),
        ({"meters": {}, "schedule": "kts"}, "'schedule' must be a Schedule or None: 'kts'"),
    ],
)
def test_what_is_no_meter_and_no_schedule_is_refused(options, words):
    with pytest.raises(OptionError, match=words):
        kinetic.PathMeter(**options)


def test_two_meters_of_one_column_are_refused():
    meter, x = kinetic.PathMeter({"a": KPE(), "b": KPE()}), torch.zeros(2, 3)
    meter.add(0.0, 1.0, x, x, x)
    with pytest.raises(OptionError, match="two parts give the column"):
        _ = meter.energy
