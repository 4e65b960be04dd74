import torch
from kinetic_digits import DigitsField
from kinetic_fields import Gaussian, Momentum
from kinetic_solvers import Dopri5, Doubled, Euler

from kinetic import Batch, Runner
from kinetic._sample.noise import noise

FIELD = Gaussian(size=3, mean=1.0, std=0.5)


def test_an_euler_run_is_the_loop_of_the_paper():
    a, b, n = 0.6, 0.8, 10
    run = Runner(Momentum(FIELD, weight=a, decay=b), Euler(steps=n)).run(4, dtype=torch.float64)
    x, mean = noise(0, range(4), (3,), torch.float64), None
    for k in range(n):
        v = FIELD.velocity(x, torch.full((4,), k / n, dtype=torch.float64))
        mean = v if mean is None else mean
        x, mean = x + (v + a * (v - mean)) / n, b * mean + (1 - b) * v
    assert torch.allclose(run.samples, x)


def test_samples_do_not_depend_on_their_batch():
    field = Momentum(DigitsField(), weight=0.5)
    whole, parts = (Runner(field, Euler(steps=6)).run(9, batch=size, dtype=torch.float64) for size in (9, 2))
    assert torch.allclose(whole.samples, parts.samples, atol=1e-5)
    assert Runner(field, Dopri5()).run(3).samples.isfinite().all()


def test_rows_asked_for_the_first_time_have_no_past():
    field, batch = Momentum(FIELD, weight=1.0), Batch(torch.arange(3))
    x, t = torch.randn(3, 3), torch.full((3,), 0.5)
    first = torch.tensor([0])
    field.velocity(x[first], t[first], batch.take(first))
    v = field.velocity(2 * x, t, batch)
    plain = FIELD.velocity(2 * x, t)
    assert torch.allclose(v[1:], plain[1:])
    assert not torch.allclose(v[0], plain[0])
    assert torch.equal(field.velocity(x, t), FIELD.velocity(x, t))


def test_a_path_begins_anew_at_0():
    """The fine grid of `doubled` follows its coarse one in the same batch."""
    runs = [Runner(Momentum(FIELD), solver).run(3) for solver in (Euler(steps=8), Doubled(Euler(steps=8)))]
    assert torch.equal(runs[0].samples, runs[1].samples)


def test_two_of_them_in_one_field_have_a_past_each():
    from kinetic_fields import Autoguided

    other, n = Gaussian(size=3, mean=-1.0, std=2.0), 3
    x, t = torch.randn(2, 3, dtype=torch.float64), torch.full((2,), 0.5, dtype=torch.float64)
    pair = Momentum(FIELD, weight=0.6), Momentum(other, weight=0.3)
    both, first, second = (Batch(torch.arange(2)) for _ in range(3))
    for k in range(n):
        v = Autoguided(*pair, scale=2.0).velocity((k + 1) * x, t, both)
        one, two = pair[0].velocity((k + 1) * x, t, first), pair[1].velocity((k + 1) * x, t, second)
        assert torch.allclose(v, two + 2 * (one - two))
