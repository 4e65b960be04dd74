import math

import attrs
import pytest
import torch
from kinetic_digits import Digits, DigitsField
from kinetic_fields import Gaussian, Guided
from kinetic_metrics import LogLikelihood
from kinetic_metrics.log_likelihood import divergence, probes
from kinetic_solvers import RK4, Dopri5, Euler, Tsit5

import kinetic
from kinetic import Samples
from kinetic._sample.noise import noise
from kinetic.errors import NonFiniteError, OptionError, ShapeError
from kinetic.testing import check_metric


@attrs.frozen(eq=False)
class Linear(kinetic.VelocityField):
    """v = A x, whose flow takes N(0, I) to N(0, e^A e^A^T) and whose divergence is tr A."""

    a: torch.Tensor
    event_shape = torch.Size([5])

    def velocity(self, x, t, batch=None):
        return x @ self.a.to(x.dtype).T


@attrs.frozen(eq=False)
class Answering(kinetic.VelocityField):
    """v = answer(x, t)."""

    answer: object
    event_shape = torch.Size([2])

    def velocity(self, x, t, batch=None):
        return self.answer(x, t)


def score(metric, x, condition=None):
    samples = Samples(torch.arange(len(x)), x, condition)
    return metric.finish(metric.observe(metric.begin(), samples))


def normal(x, mean, std):
    """log N(x; mean, std^2 I)."""
    return -0.5 * ((x - mean) / std).square().sum(1) - x.shape[1] * (math.log(std) + 0.5 * math.log(2 * math.pi))


def linear(x, a):
    root = torch.linalg.matrix_exp(a)
    zero = torch.zeros(len(a), dtype=torch.float64)
    return torch.distributions.MultivariateNormal(zero, root @ root.T).log_prob(x)


@pytest.mark.parametrize(("size", "mean", "std"), [(1, 0.0, 1.0), (2, 0.5, 0.3), (10, -1.0, 2.0)])
@pytest.mark.parametrize("solver", [RK4(steps=100), Tsit5(rtol=1e-10, atol=1e-12)])
def test_of_the_gaussian_flow_it_is_the_log_density_of_the_gaussian(size, mean, std, solver):
    x = mean + 2 * std * torch.randn(20, size, dtype=torch.float64)
    found = score(LogLikelihood(field=Gaussian(size=size, mean=mean, std=std), solver=solver, eps=0), x)
    expected = normal(x, mean, std)
    assert float((found.columns["log_likelihood"] - expected).abs().max()) < 1e-6
    assert torch.allclose(found.columns["bits_per_dim"], -expected / (size * math.log(2)), atol=1e-6)


@pytest.mark.parametrize("eps", [1e-5, 0.1])
def test_with_eps_it_is_the_density_at_that_time(eps):
    x, t = torch.randn(10, 3, dtype=torch.float64), 1 - eps
    found = score(LogLikelihood(field=Gaussian(size=3, mean=1.0, std=0.5), solver=RK4(steps=100), eps=eps), x)
    expected = normal(x, t * 1.0, math.sqrt((1 - t) ** 2 + (t * 0.5) ** 2))
    assert float((found.columns["log_likelihood"] - expected).abs().max()) < 1e-6


def test_one_step_of_euler_is_one_evaluation_of_the_formula():
    a = torch.randn(5, 5, dtype=torch.float64) / 3
    x = torch.randn(4, 5, dtype=torch.float64)
    found = score(LogLikelihood(field=Linear(a), solver=Euler(steps=1), eps=0), x)
    assert torch.allclose(found.columns["log_likelihood"], normal(x - x @ a.T, 0.0, 1.0) - a.trace())


def test_of_a_coupled_linear_flow_it_is_the_density_of_its_gaussian():
    a = torch.randn(5, 5, dtype=torch.float64) / 2
    x = torch.randn(20, 5, dtype=torch.float64)
    found = score(LogLikelihood(field=Linear(a), solver=RK4(steps=200), eps=0), x)
    assert float((found.columns["log_likelihood"] - linear(x, a)).abs().max()) < 1e-6
    assert "divergence exact" in found.notes[0]


def test_hutchinson_is_unbiased_within_its_standard_error():
    a = torch.randn(5, 5, dtype=torch.float64) / 2
    x = torch.randn(40, 5, dtype=torch.float64)
    found = score(LogLikelihood(field=Linear(a), eps=0, solver=RK4(steps=20), exact_up_to=0, probes=200), x)
    z = (found.columns["log_likelihood"] - linear(x, a)) / found.columns["probe_error"]
    assert float(z.abs().max()) < 4.5
    assert float(z.mean().abs()) < 4 / math.sqrt(40)
    assert float(z.std()) == pytest.approx(1, abs=0.4)
    off = (a + a.T - 2 * torch.diag(a.diagonal())).square().sum() / 2  # variance of e^T A e over random signs
    assert float(found.columns["probe_error"].mean()) == pytest.approx(math.sqrt(off / 200), rel=0.1)


def test_one_probe_a_sample_is_right_on_the_mean():
    a = torch.randn(5, 5, dtype=torch.float64) / 2
    x = torch.randn(400, 5, dtype=torch.float64)
    found = score(LogLikelihood(field=Linear(a), eps=0, solver=RK4(steps=10), exact_up_to=4), x)
    apart = found.columns["log_likelihood"] - linear(x, a)
    assert float(apart.mean().abs()) < 4 * float(apart.std()) / 20
    assert "probe_error" not in found.columns
    assert found.notes[1].startswith("One probe a sample")


def test_the_divergence_of_a_net_is_the_trace_of_its_jacobian():
    field, x = DigitsField(), Digits("test").read(0, 3)
    t, at = torch.full((3,), 0.6), x.clone().requires_grad_()
    found = divergence(field.velocity(at, t), at, None, "net")
    for k in range(3):
        jacobian = torch.func.jacrev(lambda y, k=k: field.velocity(y[None], t[k : k + 1])[0].flatten())(x[k])
        assert found[k].item() == pytest.approx(jacobian.view(64, 64).trace().item(), rel=1e-4)


def test_probes_belong_to_samples_and_are_no_signs_of_their_noise():
    ids = torch.tensor([7, 3, 11])
    drawn = probes(5, ids, 2, 40)
    assert torch.equal(probes(5, ids[1:2], 2, 40), drawn[1:2])
    assert set(drawn.unique().tolist()) == {-1.0, 1.0}
    assert not torch.equal(drawn, probes(6, ids, 2, 40))
    many = probes(0, torch.arange(300), 1, 64)
    x0 = noise(0, range(300), (64,), torch.float64)
    for against in (x0, x0.sign()):
        assert abs(float((many[:, 0] * against).mean())) < 4 / math.sqrt(300 * 64)


def test_it_works_in_the_inference_mode_of_the_runner_and_is_a_column_of_the_table():
    field = Gaussian(size=3, mean=0.5, std=0.7)
    metric = LogLikelihood(field=field, eps=0)
    run = kinetic.Runner(field=field, solver=RK4(steps=30), metrics={"density": metric}).run(samples=30, batch=11)
    assert {"density.log_likelihood", "density.bits_per_dim"} <= set(run.table.column_names)
    column = run.details["density"].columns["log_likelihood"]
    assert float((column - normal(run.samples.double(), 0.5, 0.7)).abs().max()) < 1e-5


def test_a_net_in_inference_mode_is_asked_for_the_class_of_each_sample():
    test = Digits("test")
    metric = LogLikelihood(field=Guided(field=DigitsField(), scale=1.0), solver=RK4(steps=5), exact_up_to=0)
    with torch.inference_mode():
        x = test.read(0, 30).clone()
        right = score(metric, x, test.labels[:30].clone())
        wrong = score(metric, x, (test.labels[:30] + 1) % 10)
    assert right.values["log_likelihood"].value > wrong.values["log_likelihood"].value + 20


def test_the_contract_of_a_metric_is_kept():
    x = torch.randn(12, 5)
    samples = Samples(torch.randperm(12), x)
    field = Linear(torch.randn(5, 5, dtype=torch.float64) / 3)
    check_metric(LogLikelihood(field=field, solver=RK4(steps=5)), samples)
    check_metric(LogLikelihood(field=field, solver=Dopri5(), exact_up_to=0, probes=2), samples)


def test_bad_input_is_named():
    metric = LogLikelihood(field=Gaussian(size=2))
    with pytest.raises(ShapeError, match=r"samples have shape \(3,\), those of 'field' \(2,\)"):
        score(metric, torch.zeros(4, 3))
    with pytest.raises(OptionError, match="'eps' must be a number >= 0 and < 1"):
        LogLikelihood(field=Gaussian(), eps=1.0)


def test_a_field_that_goes_wrong_on_the_way_is_named():
    def detached(x, t):
        return -x.detach()

    def inside(x, t):
        with torch.inference_mode():
            return -x

    def in_place(x, t):
        y = x.exp()
        return y * y.add_(1)

    for answer in (detached, inside, in_place):
        with pytest.raises(OptionError, match="'field' must be differentiable, which Answering is not"):
            score(LogLikelihood(field=Answering(answer)), torch.randn(4, 2))
    with pytest.raises(NonFiniteError, match=r"not finite at t = 0.5\d* for 4 sample\(s\)"):
        score(LogLikelihood(field=Answering(lambda x, t: x / (t[:, None] > 0.55))), torch.randn(4, 2))
    with pytest.raises(OptionError, match="'solver' stopped on 4 of 4 paths before t = 0"):
        score(LogLikelihood(field=Gaussian(std=0.01), solver=Dopri5(max_steps=2)), torch.randn(4, 2))
