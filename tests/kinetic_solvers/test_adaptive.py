"""Both pairs share one core, so they share these tests; each method's own file checks its tableau."""

import attrs
import pytest
import torch
from kinetic_energy import KPE
from kinetic_fields import Empirical, Gaussian
from kinetic_schedules import KTS
from kinetic_solvers import Adaptive, Dopri5, Doubled, Euler, Tableau, Tsit5

from kinetic import Runner, Status, VelocityField
from kinetic._sample.noise import noise
from kinetic.errors import NonFiniteError, OptionError
from kinetic.testing import check_solver

BOTH = [Dopri5, Tsit5]


@pytest.mark.parametrize("tolerance", [1e-2, 1e-5, 1e-9])
@pytest.mark.parametrize("method", BOTH)
def test_the_contract_of_a_solver_is_kept(method, tolerance):
    check_solver(method(rtol=tolerance, atol=tolerance))


@pytest.mark.parametrize("method", BOTH)
def test_energy_and_end_of_the_gaussian_flow_follow_the_tolerance(method, gaussian_flow):
    errors = []
    for tolerance in (1e-4, 1e-7, 1e-10):
        run, x1, energy = gaussian_flow(method(rtol=tolerance, atol=tolerance), n=100)
        errors.append((run.energy["kpe"] - energy).abs().max().item())
        assert (run.samples - x1).abs().max() < 30 * tolerance
        assert errors[-1] < 100 * tolerance
        assert run.energy["status"].tolist() == [Status.REACHED] * 100
    assert errors[0] > errors[1] > errors[2]


@pytest.mark.parametrize("method", BOTH)
def test_the_reported_errors_bound_those_made_for_nine_samples_in_ten_at_tight_tolerances(method, gaussian_flow):
    run, x1, energy = gaussian_flow(method(rtol=1e-7, atol=1e-7), n=200)
    assert ((run.energy["kpe"] - energy).abs() <= run.energy["kpe_error"]).double().mean() > 0.9
    assert ((run.samples - x1).square().mean(1).sqrt() <= run.energy["x1_error"]).double().mean() > 0.9
    bending = energy - 0.5 * (x1 - noise(0, range(200), (3,), torch.float64)).square().sum(1)
    assert ((run.energy["bending"] - bending).abs() <= run.energy["bending_error"]).double().mean() > 0.9


@pytest.mark.parametrize("method", BOTH)
@pytest.mark.parametrize("batch", [1, 3, 8, 20])
def test_a_sample_does_not_know_its_batch_mates(method, batch, gaussian_flow):
    whole, *_ = gaussian_flow(method(rtol=1e-3, atol=1e-3))
    cut, *_ = gaussian_flow(method(rtol=1e-3, atol=1e-3), batch=batch)
    for name in ("kpe", "nfe", "accepted", "rejected", "x1_error", "kpe_error"):
        assert (whole.energy[name] - cut.energy[name]).abs().max() < 1e-12
    assert (whole.samples - cut.samples).abs().max() < 1e-12


def test_the_closed_form_field_does_not_couple_samples_either():
    data = torch.randn(40, 6, dtype=torch.float64)
    runner = Runner(field=Empirical(data), solver=Dopri5(rtol=1e-4, atol=1e-4), meters={"kpe": KPE()})
    whole, single = (runner.run(8, dtype=torch.float64, device="cpu", batch=size) for size in (8, 1))
    assert (whole.samples - single.samples).abs().max() < 1e-12
    assert (whole.energy["kpe"] - single.energy["kpe"]).abs().max() < 1e-12
    assert (torch.cdist(whole.samples, data).amin(1) < 1e-3).all()


@pytest.mark.parametrize("method", BOTH)
def test_velocities_are_counted_sample_by_sample_and_rejected_ones_too(method):
    """Two velocities to begin with, six for each trial, the seventh being the first of the next."""
    asked = torch.zeros(30)

    def velocity(x, t, rows):
        asked[rows] += 1
        return -x * torch.where(t < 0.5, 1.0, 40.0)[:, None]

    x0 = torch.randn(30, 2, dtype=torch.float64) * torch.logspace(-2, 2, 30)[:, None]
    walk = method(rtol=1e-4, atol=1e-4).solve(velocity, x0)
    steps = torch.zeros(30)
    try:
        while True:
            steps[next(walk).rows] += 1
    except StopIteration as end:
        columns = end.value
    assert columns["rejected"].sum() > 0
    assert torch.equal(columns["accepted"], steps.double())
    assert torch.equal(asked.double(), 2 + 6 * (columns["accepted"] + columns["rejected"]))
    assert asked.unique().numel() > 3


def test_what_is_done_costs_nothing_more():
    """An easy and a hard sample: the easy one is asked for as often as when it is alone."""
    counts = []

    def velocity(x, t, rows):
        asked[rows] += 1
        return torch.sin(x * 8) * x

    for x0 in (torch.tensor([[0.01], [5.0]]), torch.tensor([[0.01]])):
        asked = torch.zeros(len(x0))
        list(Dopri5(rtol=1e-6, atol=1e-6).solve(velocity, x0.double()))
        counts.append(asked.tolist())
    assert counts[0][0] == counts[1][0] < counts[0][1]


@pytest.mark.parametrize("method", BOTH)
def test_steps_end_on_the_breakpoints_of_a_schedule_and_start_anew_behind_them(method, gaussian_flow):
    schedule = KTS(alpha=0.5, beta=0.02, tau=0.6, launch="constant", landing="constant")
    solver = method(rtol=1e-6, atol=1e-6)
    field = Gaussian(size=3, mean=0.7, std=0.4)

    def shaped(x, t, rows):
        return field.velocity(x, t) * schedule.gain(t, x, x)[:, None]

    shaped.breakpoints = (0.6,)
    x0 = torch.randn(5, 3, dtype=torch.float64)
    steps = list(solver.solve(shaped, x0))
    ends = torch.stack([(step.t1 == 0.6).any() for step in steps])
    assert ends.any()
    assert not any(bool(((step.t0 < 0.6) & (step.t1 > 0.6)).any()) for step in steps)
    # a jump in the gain is no trouble then: as many steps as two smooth halves need, and hardly a rejection
    run, *_ = gaussian_flow(solver, schedule=schedule)
    assert run.energy["rejected"].max() <= 4
    x1, energy = _by_scipy(field, (1.5, 0.98), noise(0, range(20), (3,), torch.float64))
    assert (run.samples - x1).abs().max() < 1e-5
    assert (run.energy["kpe"] - energy).abs().max() < 1e-5


def _by_scipy(field, gains, x0):
    """The two smooth halves, one after the other, with the energy as one more state."""
    from scipy.integrate import solve_ivp

    ends = []
    for x in x0:
        state = [*x.tolist(), 0.0]
        for gain, span in zip(gains, ((0, 0.6), (0.6, 1)), strict=True):

            def slope(t, y, gain=gain):
                v = gain * field.velocity(torch.tensor(y[None, :-1]), torch.tensor([t], dtype=torch.float64))[0]
                return [*v.tolist(), 0.5 * v.square().sum().item()]

            state = solve_ivp(slope, span, state, rtol=1e-10, atol=1e-10).y[:, -1]
        ends.append(torch.tensor(state))
    ends = torch.stack(ends)
    return ends[:, :-1], ends[:, -1]


def test_a_breakpoint_it_is_not_told_of_costs_rejections(gaussian_flow):
    """That the breakpoints matter: the same jump, hidden."""
    told = KTS(alpha=0.5, beta=0.02, launch="constant", landing="constant")
    solver = Dopri5(rtol=1e-6, atol=1e-6)
    rejected = []
    for points in ((0.6,), ()):

        def velocity(x, t, rows):
            return x * told.gain(t, x, x)[:, None]

        velocity.breakpoints = points
        walk = solver.solve(velocity, torch.ones(1, 1, dtype=torch.float64))
        try:
            while True:
                next(walk)
        except StopIteration as end:
            rejected.append(end.value["rejected"].item())
    assert rejected[0] == 0 < rejected[1]


@attrs.frozen(eq=False)
class Spike(VelocityField):
    """A field that no tolerance is met on: it jumps on every tick of the clock past t = 1/2, for some samples."""

    event_shape = torch.Size([2])

    def velocity(self, x, t, batch=None):
        wild = (t > 0.5) & (batch.ids % 2 == 1)
        return torch.where(wild, 1e12 * torch.sin(1e17 * t), 1.0)[:, None].expand_as(x).contiguous()


@pytest.mark.parametrize(("more", "status"), [({}, Status.STEP_SIZE), ({"max_steps": 12}, Status.STEP_LIMIT)])
def test_a_sample_that_cannot_meet_the_tolerance_stops_with_a_status_and_the_others_arrive(more, status):
    solver = Dopri5(rtol=1e-9, atol=1e-9, **more)
    run = Runner(field=Spike(), solver=solver, meters={"kpe": KPE()}).run(6, dtype=torch.float64, device="cpu")
    assert run.energy["status"].tolist() == [0, status] * 3
    assert run.reached.tolist() == [True, False] * 3
    assert (run.energy["t_end"][1::2] < 1).all()
    assert run.table["status"].to_pylist() == ["reached t = 1", status.words] * 3
    assert run.samples.isfinite().all()
    assert f"3 of 6 samples did not reach t = 1 (3 {status.words})" in " ".join(run.notes)


def test_a_sample_whose_velocity_is_nan_is_left_out_and_named_with_its_time():
    @attrs.frozen(eq=False)
    class Broken(VelocityField):
        event_shape = torch.Size([2])

        def velocity(self, x, t, batch=None):
            bad = (t > 0.5) & (batch.ids == 3)
            return torch.where(bad[:, None], torch.nan, x)

    run = Runner(field=Broken(), solver=Dopri5()).run(6, dtype=torch.float64, device="cpu")
    assert run.finite.tolist() == [True, True, True, False, True, True]
    assert run.energy["status"].tolist() == [0, 0, 0, 3, 0, 0]
    assert float(run.energy["finite_until"][3]) == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_lower_precisions_arrive(dtype):
    run = Runner(field=Gaussian(size=3), solver=Dopri5(rtol=1e-2, atol=1e-2), meters={"kpe": KPE()}).run(
        20, dtype=dtype, device="cpu"
    )
    assert run.reached.all()
    assert run.samples.dtype == dtype


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"rtol": 0}, "'rtol' must be a number > 0 and < 1: 0"),
        ({"atol": -1e-3}, "'atol' must be a number > 0: -0.001"),
        ({"max_steps": 0}, "'max_steps' must be an int >= 1: 0"),
    ],
)
def test_a_bad_option_is_named_with_its_bound(bad, said):
    with pytest.raises(OptionError) as caught:
        Dopri5(**bad)
    assert str(caught.value).startswith(said)


@pytest.mark.gpu
def test_a_gpu_walks_the_paths_of_the_cpu():
    runner = Runner(field=Gaussian(size=3, std=0.3), solver=Dopri5(rtol=1e-6, atol=1e-6), meters={"kpe": KPE()})
    here, there = (runner.run(50, dtype=torch.float64, device=device) for device in ("cpu", "cuda"))
    assert (here.samples - there.samples).abs().max() < 1e-9
    assert torch.equal(here.energy["nfe"], there.energy["nfe"])


def test_a_velocity_that_is_nan_is_no_step_limit():
    @attrs.frozen(eq=False)
    class Nothing(VelocityField):
        event_shape = torch.Size([2])

        def velocity(self, x, t, batch=None):
            return x * torch.nan

    for steps in (1, 5, 10):
        with pytest.raises(NonFiniteError):
            Runner(field=Nothing(), solver=Dopri5(max_steps=steps), meters={"kpe": KPE()}).run(2, device="cpu")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_large_velocities_of_low_precision_do_not_overflow_in_the_sums(dtype):
    walk = Dopri5(rtol=1e-2, atol=1e-1).solve(lambda x, t, rows: -1e4 * x, torch.full((2, 2), 3.0, dtype=dtype))
    first = next(walk)
    assert first.x1.isfinite().all()


@pytest.mark.parametrize("points", [(1e-7, 2e-7), (0.5, 0.5 + 1e-8), (0.5, 0.5 + 6e-7)])
def test_no_stage_is_asked_before_its_step_however_close_the_breakpoints(points):
    def velocity(x, t, rows):
        return -x

    velocity.breakpoints = points
    for step in Dopri5().solve(velocity, torch.ones(2, 2)):
        assert all(bool((stage.t >= step.t0).all()) for stage in step.stages)


def test_no_samples_are_no_trouble():
    for solver in (Dopri5(), Tsit5(), Doubled(Euler(steps=4))):
        assert list(solver.solve(lambda x, t, rows: x, torch.zeros(0, 3))) is not None


@attrs.frozen(eq=False)
class BogackiShampine(Adaptive):
    """A pair of orders 3 and 2, from its tableau alone."""

    tableau = Tableau(
        c=(0, 1 / 2, 3 / 4, 1),
        a=((1 / 2,), (0, 3 / 4), (2 / 9, 1 / 3, 4 / 9)),
        b=(2 / 9, 1 / 3, 4 / 9, 0),
        order=3,
        embedded=(7 / 24, 1 / 4, 1 / 3, 1 / 8),
    )


@pytest.mark.parametrize("method", [*BOTH, BogackiShampine])
def test_steps_grow_with_the_tolerance_at_the_order_of_the_pair(method):
    """The error of a step is of order h^p: a tolerance a thousandth as wide takes 1000^(1/p) times the steps."""
    steps = []
    for tolerance in (1e-5, 1e-8, 1e-11):
        solver = method(rtol=tolerance, atol=tolerance, max_steps=10**5)
        walked = list(solver.solve(lambda x, t, rows: -2 * t[:, None] * x**2, torch.ones(1, 1, dtype=torch.float64)))
        steps.append(len(walked))
        assert abs(walked[-1].x1.item() - 0.5) < 100 * tolerance
    growth = (steps[2] - steps[1]) / (steps[1] - steps[0])  # the first steps, which are short, fall out
    assert growth == pytest.approx(1000 ** (1 / method().tableau.order), rel=0.2)


def test_a_pair_of_another_order_keeps_the_contract():
    check_solver(BogackiShampine(rtol=1e-6, atol=1e-6))


@pytest.mark.parametrize(
    "change",
    [
        {"embedded": None},
        {"c": (0, 1 / 2, 3 / 4), "a": ((1 / 2,), (0, 3 / 4)), "b": (2 / 9, 1 / 3, 4 / 9), "embedded": (1, 0, 0)},
        {"b": (7 / 24, 1 / 4, 1 / 3, 1 / 8)},
    ],
)
def test_a_pair_whose_last_stage_is_not_the_end_of_the_step_is_refused(change):
    @attrs.frozen(eq=False)
    class Other(Adaptive):
        tableau = attrs.evolve(BogackiShampine.tableau, **change)

    with pytest.raises(OptionError, match="the tableau of Other must have embedded weights, and a last stage"):
        Other()
