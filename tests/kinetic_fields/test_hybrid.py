import pytest
import torch
from kinetic_energy import KPE
from kinetic_fields import Empirical, Gaussian, Hybrid
from kinetic_schedules import KTS
from kinetic_solvers import Dopri5

from kinetic import Batch, Runner, Shaped
from kinetic.errors import OptionError, ShapeError
from kinetic.testing import check_field


def test_each_sample_is_asked_of_the_field_of_its_time():
    early, late = Gaussian(size=3, mean=2.0), Gaussian(size=3, std=0.1)
    x, t = torch.randn(6, 3, dtype=torch.float64), torch.tensor([0.0, 0.69, 0.7, 0.71, 1.0, 0.2], dtype=torch.float64)
    v = Hybrid(early, late, tau=0.7).velocity(x, t)
    expected = torch.where((t < 0.7)[:, None], early.velocity(x, t), late.velocity(x, t))
    assert torch.equal(v, expected)


def test_tau_belongs_to_the_later_field_in_every_precision():
    for dtype in (torch.float32, torch.float64):
        for tau in (0.1, 0.3, 0.6, 0.7):
            x = torch.randn(2, 3, dtype=dtype)
            t = torch.full((2,), tau, dtype=torch.float64).to(dtype)
            late = Gaussian(size=3, std=0.1)
            assert torch.equal(Hybrid(Gaussian(size=3), late, tau=tau).velocity(x, t), late.velocity(x, t))


def test_closed_forms_on_both_sides_keep_their_own_memory():
    """Two closed-form fields share a batch; each path ends on the data of the second."""
    data = [torch.randn(20, 4, dtype=torch.float64) for _ in range(2)]
    field = Hybrid(Empirical(data[0]), Empirical(data[1]), tau=0.5)
    run = Runner(field=field, solver=Dopri5(rtol=1e-6, atol=1e-6), meters={"kpe": KPE()}).run(
        12, dtype=torch.float64, device="cpu"
    )
    assert (torch.cdist(run.samples, data[1]).amin(1) < 1e-4).all()


def test_its_batch_is_cut_with_its_samples():
    data = torch.randn(20, 4, dtype=torch.float64)
    field = Hybrid(Gaussian(size=4), Empirical(data), tau=0.5)
    batch, x = Batch(torch.arange(6)), torch.randn(6, 4, dtype=torch.float64)
    t = torch.tensor([0.1, 0.9, 0.4, 0.95, 0.6, 0.2], dtype=torch.float64)
    together = field.velocity(x, t, batch)
    alone = torch.cat([field.velocity(x[i : i + 1], t[i : i + 1], batch.take(torch.tensor([i]))) for i in range(6)])
    assert (together - alone).abs().max() < 1e-12


def test_adaptive_solvers_step_onto_tau_and_every_other_breakpoint():
    inner = Hybrid(Gaussian(), Gaussian(std=0.3), tau=0.4)
    field = Hybrid(inner, Gaussian(std=0.1), tau=0.8)
    assert field.breakpoints == (0.4, 0.8)
    assert Shaped(field, KTS(tau=0.6)).breakpoints == (0.4, 0.6, 0.8)
    run = Runner(field=field, solver=Dopri5(rtol=1e-8, atol=1e-8)).run(8, dtype=torch.float64, device="cpu")
    assert run.energy["rejected"].max() <= 6


def test_the_contract_of_a_field_is_kept():
    check_field(Hybrid(Gaussian(), Gaussian(std=0.2), tau=0.25))


def test_what_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match=r"'early' moves samples of shape \(2,\), 'late' of shape \(3,\)"):
        Hybrid(Gaussian(), Gaussian(size=3))
    with pytest.raises(OptionError, match=r"'tau' must be a number > 0 and < 1: 1\.0"):
        Hybrid(Gaussian(), Gaussian(), tau=1)
