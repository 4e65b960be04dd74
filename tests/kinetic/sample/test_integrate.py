"""One batch: what the dynamics tells a solver, what is counted, what a solver may return."""

import attrs
import pytest
import torch
from kinetic_energy import KPE, Path, PowerProfile
from kinetic_fields import Empirical, Gaussian
from kinetic_metrics import Memorisation
from kinetic_schedules import KTS, Constant
from kinetic_solvers import RK4, Dopri5, Doubled, DPMSolver, Euler

from kinetic import Batch, EnergyMeter, Runner, Shaped, Solver, Status, TensorData, VelocityField
from kinetic._sample.integrate import renoise
from kinetic._sample.noise import noise
from kinetic.errors import NonFiniteError, OptionError


@attrs.frozen(eq=False)
class Told(Solver):
    """Euler, which returns what it is told."""

    columns: dict = attrs.field(factory=dict)

    def solve(self, velocity, x0):
        assert velocity.breakpoints == ((0.6,) if self.columns.get("shaped") else ())
        yield from Euler(steps=4).solve(velocity, x0)
        return {name: torch.full((len(x0),), float(value)) for name, value in self.columns.items()}


@pytest.mark.parametrize("schedule", [None, KTS(tau=0.6)])
def test_a_solver_is_told_the_breakpoints_of_the_schedule_and_may_return_columns(schedule):
    runner = Runner(field=Gaussian(), solver=Told({"shaped": bool(schedule), "mine": 3}), schedule=schedule)
    run = runner.run(5, batch=2, device="cpu")
    assert run.energy["mine"].tolist() == [3.0] * 5
    assert run.energy["mine"].dtype == torch.float64


def test_a_column_of_a_solver_and_of_a_meter_may_not_be_the_same():
    runner = Runner(field=Gaussian(), solver=Told({"kpe": 1}), meters={"energy": KPE()})
    with pytest.raises(OptionError, match="two parts give the column 'kpe': meter 'energy'"):
        runner.run(2, device="cpu")


def test_velocities_are_counted_for_each_sample():
    assert Runner(field=Gaussian(), solver=RK4(steps=5)).run(3, device="cpu").energy["nfe"].tolist() == [20.0] * 3
    adaptive = Runner(field=Gaussian(std=0.1), solver=Dopri5()).run(30, device="cpu").energy
    trials = adaptive["accepted"] + adaptive["rejected"]
    assert torch.equal(adaptive["nfe"], 2 + 6 * trials)


def test_a_sample_that_stopped_is_kept_where_it_stopped():
    run = Runner(field=Gaussian(size=3), solver=Dopri5(rtol=1e-10, atol=1e-10, max_steps=5), meters={"kpe": KPE()}).run(
        4, dtype=torch.float64, device="cpu"
    )
    assert run.energy["status"].tolist() == [Status.STEP_LIMIT] * 4
    assert (run.energy["t_end"] < 1).all()
    assert run.energy["kpe"].isfinite().all()


def test_what_is_not_finite_is_left_out_and_named_with_the_time_it_began():
    @attrs.frozen(eq=False)
    class Breaks(VelocityField):
        event_shape = torch.Size([2])

        def velocity(self, x, t, batch=None):
            return torch.where(((batch.ids == 12) & (t >= 0.5))[:, None], torch.inf, x)

    run = Runner(field=Breaks(), solver=Euler(steps=4)).run(14, batch=5, device="cpu")
    assert (~run.finite).nonzero().flatten().tolist() == [12]
    assert run.energy["finite_until"][12] == 0.5
    assert run.energy["finite_until"][[*range(12), 13]].isnan().all()
    assert "1 of 14 samples were left out" in " ".join(run.notes)
    assert "12 (t = 0.5)" in " ".join(run.notes)


def test_a_solver_that_stops_short_without_a_status_is_an_error():
    @attrs.frozen(eq=False)
    class Short(Solver):
        def solve(self, velocity, x0):
            steps = list(Euler(steps=4).solve(velocity, x0))
            yield from steps[:3]

    with pytest.raises(NonFiniteError) as caught:
        Runner(field=Gaussian(), solver=Short()).run(2, device="cpu")
    assert caught.value.t == 0.75


def test_a_batch_of_which_no_step_was_accepted_still_has_its_columns():
    @attrs.frozen(eq=False)
    class Wild(VelocityField):
        event_shape = torch.Size([2])

        def velocity(self, x, t, batch=None):
            return 50 * torch.sin(1e3 * x + 1e5 * t[:, None])

    meters = {"kpe": KPE(), "power": PowerProfile(bins=7), "path": Path()}
    run = Runner(field=Wild(), solver=Dopri5(max_steps=1), meters=meters).run(3, batch=1, device="cpu")
    assert run.energy["status"].tolist() == [Status.STEP_LIMIT] * 3
    assert run.energy["kpe"].tolist() == [0.0] * 3
    assert run.energy["power"].shape == (3, 7)


@pytest.mark.parametrize("mean", [1e20, 1e37])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize(
    "solver", [Euler(steps=4), RK4(steps=4), DPMSolver(steps=5), Doubled(Euler(steps=4)), Dopri5()]
)
def test_energies_beyond_float32_are_finite_in_every_column(solver, dtype, mean):
    """The flow to a Gaussian that far away is a straight line: v = mean, but for the first steps of order one."""
    meters = {"kpe": KPE(), "path": Path(), "power": PowerProfile(bins=4)}
    runner = Runner(field=Gaussian(size=3, mean=mean), solver=solver, meters=meters, schedule=KTS())
    run = runner.run(2, dtype=dtype, device="cpu")
    assert all(bool(column.isfinite().all()) for column in run.energy.values())
    assert not any("Infinite" in note for note in run.notes)
    assert run.energy["kpe"].tolist() == pytest.approx([1.5 * mean**2] * 2, rel=0.1)
    assert run.energy["x1_sq"].tolist() == pytest.approx([3 * mean**2] * 2, rel=0.1)
    assert run.energy["length"].tolist() == pytest.approx([3**0.5 * mean] * 2, rel=0.1)


@pytest.mark.parametrize("solver", [Euler(steps=4), Doubled(Euler(steps=4)), Dopri5()])
def test_energies_beyond_float64_are_infinite_with_a_note_of_the_columns(solver):
    runner = Runner(field=Gaussian(mean=1e160), solver=solver, meters={"kpe": KPE()})
    run = runner.run(2, dtype=torch.float64, device="cpu")
    assert run.samples.isfinite().all()
    notes = [note for note in run.notes if "is above the largest number of float64" in note]
    for name in ("displacement", "x1_sq"):
        assert any(note.startswith(f"The column {name} is not finite for 2 of 2 samples") for note in notes)


@pytest.mark.parametrize("column", ["nfe", "x0_sq", "gain", "noise_left"])
def test_the_columns_of_the_runner_are_its_own(column):
    with pytest.raises(OptionError, match=f"Told gives the column '{column}', which is the Runner's own"):
        Runner(field=Gaussian(), solver=Told({column: 1})).run(2, device="cpu")

    @attrs.frozen(eq=False)
    class Mine(EnergyMeter):
        def adds(self, step):
            return {"e": step.energy}

        def columns(self, sums, x0, x1):
            return {column: sums["e"]}

    with pytest.raises(OptionError, match=f"meter 'mine' gives the column '{column}', which is the Runner's own"):
        Runner(field=Gaussian(), solver=Euler(steps=2), meters={"mine": Mine()}).run(2, device="cpu")


@pytest.mark.parametrize("solver", [Euler(steps=10), Dopri5()])
def test_a_sample_that_spoils_itself_spoils_no_other(solver):
    """A wrapped closed-form field, NaN for one sample from some time on."""
    data = torch.randn(30, 4)

    @attrs.frozen(eq=False)
    class Spoilt(VelocityField):
        inner: VelocityField = attrs.field(factory=lambda: Empirical(data))
        event_shape = torch.Size([4])

        def velocity(self, x, t, batch=None):
            v = self.inner.velocity(x, t, batch)
            return torch.where(((batch.ids == 3) & (t > 0.5))[:, None], torch.nan, v)

    run = Runner(field=Spoilt(), solver=solver).run(6, device="cpu")
    assert run.finite.tolist() == [True, True, True, False, True, True]
    assert run.samples[run.finite].isfinite().all()


@attrs.frozen(eq=False)
class Steady(VelocityField):
    """v = 1 up to t_end, and 0 behind it."""

    t_end: float = 1.0
    event_shape = torch.Size([2])

    def velocity(self, x, t, batch=None):
        return torch.ones_like(x) * (t <= self.t_end).to(x.dtype)[:, None]


@attrs.frozen(eq=False)
class Early(Solver):
    """Euler, which stops after three quarters of the way and says so."""

    def solve(self, velocity, x0):
        yield from list(Euler(steps=4).solve(velocity, x0))[:3]
        return {"t_end": torch.full((len(x0),), 0.75, dtype=torch.float64)}


@pytest.mark.parametrize(
    ("runner", "reached"),
    [
        (Runner(Steady(), Euler(steps=4), Constant(0.75)), 0.75),
        (Runner(Shaped(Steady(), Constant(0.75)), Euler(steps=4)), 0.75),
        (Runner(Shaped(Steady(), Constant(0.75)), Euler(steps=4), Constant(0.5)), 0.375),
        (Runner(Steady(0.7), Euler(steps=4)), 0.75),
        (Runner(Steady(0.7), Euler(steps=10)), 0.8),
        (Runner(Steady(0.75), Euler(steps=8)), 0.875),
        (Runner(Steady(), Early()), 0.75),
    ],
    ids=["schedule", "shaped field", "both", "field that stops short", "on the grid", "on the grid too", "solver"],
)
def test_noise_left_by_a_schedule_a_field_or_a_solver_is_taken_off_by_one_step(runner, reached):
    run = runner.run(3, dtype=torch.float64, device="cpu")
    x0 = noise(0, range(3), (2,), torch.float64)
    assert run.energy["gain"].tolist() == pytest.approx([reached] * 3)
    assert torch.allclose(run.samples, x0 + reached)
    assert torch.allclose(run.denoised, x0 + 1)
    assert run.energy["noise_left"].tolist() == pytest.approx([1 - reached] * 3)


def test_a_path_that_arrives_has_nothing_to_denoise():
    run = Runner(Gaussian(), Dopri5()).run(3, device="cpu")
    assert run.denoised is run.samples
    assert run.energy["noise_left"].tolist() == [0.0] * 3


def test_putting_back_adds_the_noise_of_the_sample_and_takes_the_same_step():
    x, x0 = torch.randn(3, 2, dtype=torch.float64), torch.randn(3, 2, dtype=torch.float64)
    gain = torch.tensor([0.8, 1.0, 1.3], dtype=torch.float64)
    again = renoise(Steady(), x, x0, gain, Batch(torch.arange(3)))
    assert torch.allclose(again[0], 0.8 * x[0] + 0.2 * x0[0] + 0.2)
    assert torch.equal(again[1:], x[1:])


def test_without_noise_there_is_one_view_where_samples_are_copied_to_the_cpu(monkeypatch):
    """As from a GPU: each call of `cpu` gives another tensor."""
    monkeypatch.setattr(torch.Tensor, "cpu", torch.Tensor.clone)
    data = TensorData(torch.randn(9, 3))
    run = Runner(Gaussian(size=3), Euler(steps=2), metrics={"m": Memorisation(train=data)}).run(4, device="cpu")
    assert run.views.keys() == {"plain"}
    assert run.denoised is run.samples
