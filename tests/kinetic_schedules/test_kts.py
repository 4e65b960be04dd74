"""KTS against direct transcriptions of the formulas of the paper's reference code."""

import math

import pytest
import torch
from kinetic_energy import KPE
from kinetic_fields import Empirical, Gaussian
from kinetic_schedules import KTS
from kinetic_solvers import RK4, Euler, Heun, Midpoint

from kinetic import Runner
from kinetic._sample.noise import noise
from kinetic.errors import OptionError
from kinetic.testing import check_schedule

SHAPES = ("linear", "constant", "exponential")


def transcribed(t, alpha, beta, tau, k, launch, landing):
    if t < tau:
        s = 1 - t / tau
        return (
            1
            + {
                "linear": alpha * s,
                "constant": alpha,
                "exponential": alpha * (math.exp(k * s) - 1) / (math.exp(k) - 1),
            }[launch]
        )
    r = (t - tau) / (1 - tau)
    return 1 - {"exponential": beta * (math.exp(k * r) - 1), "linear": beta * r, "constant": beta}[landing]


def gain(schedule, *times):
    t = torch.tensor(times, dtype=torch.float64)
    x = torch.zeros(len(times), 2)
    return schedule.gain(t, x, x)


@pytest.mark.parametrize("launch", SHAPES)
@pytest.mark.parametrize("landing", SHAPES)
def test_all_nine_pairs_of_shapes_follow_the_reference_formulas(launch, landing):
    schedule = KTS(alpha=0.05, beta=0.04, tau=0.55, k=2.5, launch=launch, landing=landing)
    times = torch.linspace(0, 1, 101, dtype=torch.float64).tolist()
    expected = [transcribed(t, 0.05, 0.04, 0.55, 2.5, launch, landing) for t in times]
    assert gain(schedule, *times).tolist() == pytest.approx(expected, abs=1e-14)
    check_schedule(schedule)


def test_the_gain_at_the_start_at_tau_and_at_the_end():
    start, middle, end = gain(KTS(alpha=0.02, beta=0.03), 0.0, 0.6, 1.0).tolist()
    assert start == pytest.approx(1.02, abs=1e-15)
    assert middle == pytest.approx(1.0, abs=1e-15)
    assert end == pytest.approx(1 - 19.0855369 * 0.03, abs=1e-7)


@pytest.mark.parametrize("tau", [0.2, 0.6, 0.7, 0.8])
def test_float32_times_change_phase_at_tau_itself(tau):
    schedule = KTS(alpha=0.01, beta=0.02, tau=tau, launch="constant", landing="constant")
    t = torch.tensor([tau], dtype=torch.float32)
    assert schedule.gain(t, t, t).item() == pytest.approx(0.98)


@pytest.mark.parametrize(("tau", "expected"), [(0.2, 0.958), (0.4, 0.970), (0.6, 0.982), (0.8, 0.993)])
def test_the_mean_gain_is_the_closed_form_and_reported(tau, expected):
    alpha, beta, k = 0.01, 0.01, 3.0
    formula = 1 + alpha * tau / 2 - beta * (1 - tau) * ((math.exp(k) - 1) / k - 1)
    runner = Runner(field=Gaussian(), solver=RK4(steps=400), schedule=KTS(alpha=alpha, beta=beta, tau=tau))
    reported = runner.run(2, dtype=torch.float64).energy["gain"]
    assert reported.tolist() == pytest.approx([formula] * 2, abs=1e-6)
    assert formula == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize("method", [Euler, Midpoint, Heun, RK4])
def test_zero_strength_is_the_plain_sampler_to_the_bit(method):
    field = Empirical(torch.randn(7, 3))
    plain, shaped = (
        Runner(field=field, solver=method(steps=20), schedule=schedule, meters={"kpe": KPE()}).run(9)
        for schedule in (None, KTS(alpha=0.0, beta=0.0))
    )
    assert torch.equal(plain.samples, shaped.samples)
    for name in ("kpe", "displacement", "bending", "early", "late"):
        assert torch.equal(plain.energy[name], shaped.energy[name])


@pytest.mark.parametrize(("alpha", "beta", "left"), [(0.01, 0.01, 0.002693), (0, 0.02, 0.008056), (0, 0.05, 0.058616)])
def test_what_euler_leaves_of_the_noise_on_one_atom_is_the_known_product(alpha, beta, left):
    point = torch.randn(1, 4, dtype=torch.float64)
    runner = Runner(field=Empirical(point), solver=Euler(steps=100), schedule=KTS(alpha=float(alpha), beta=beta))
    found = runner.run(6, dtype=torch.float64)
    x0 = noise(0, range(6), (4,), torch.float64)
    product = math.prod(
        1 - transcribed(k / 100, alpha, beta, 0.6, 3, "linear", "exponential") / (100 - k) for k in range(100)
    )
    assert product == pytest.approx(left, abs=5e-7)
    assert ((found.samples - point) / (x0 - point)).flatten().tolist() == pytest.approx([product] * 24, rel=1e-9)


def test_a_landing_that_would_reverse_the_motion_is_refused_with_its_bound():
    bound = 1 / (math.exp(3) - 1)
    KTS(beta=bound * 0.999999)
    with pytest.raises(OptionError) as caught:
        KTS(beta=0.06)
    assert "'beta' must be <= 0.0523957 = 1/(e^k - 1) with k = 3" in str(caught.value)
    assert "0.06" in str(caught.value)
    with pytest.raises(OptionError, match="'beta' must be <= 1 for a landing that is linear"):
        KTS(beta=1.5, landing="linear")


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"tau": 1.0}, "'tau' must be a number > 0 and < 1: 1.0"),
        ({"k": 0.0}, "'k' must be a number > 0"),
        ({"k": 1e308}, "'k' must be a number > 0 and <= 88: 1e+308"),
        ({"alpha": float("nan")}, "'alpha' must be a number >= 0: nan"),
        ({"alpha": "0.1"}, "'alpha' must be a number >= 0: '0.1'"),
        ({"launch": "cubic"}, "'launch' must be one of 'linear', 'constant', 'exponential': 'cubic'"),
    ],
)
def test_other_bad_options_are_named(bad, said):
    with pytest.raises(OptionError) as caught:
        KTS(**bad)
    assert said in str(caught.value)


@pytest.mark.parametrize("shape", ["launch", "landing"])
def test_the_gain_is_finite_at_the_steepest_shape(shape):
    kts = KTS(k=88, alpha=1.0, beta=1 / math.expm1(88), **{shape: "exponential"})
    t = torch.linspace(0, 1, 101)
    assert kts.gain(t, t, t).isfinite().all()
