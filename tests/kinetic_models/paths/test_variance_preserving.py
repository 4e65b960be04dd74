import pytest
import torch
from kinetic_models.paths.variance_preserving import VariancePreserving


def test_at_whole_steps_the_map_carries_the_weights_of_the_chain_into_those_of_the_line():
    path, steps = VariancePreserving("linear", 1e-4, 0.02, 1000, whole=False), torch.tensor([0, 1, 250, 500, 998, 999])
    kept = (1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)).cumprod(0)[steps]
    a, b = kept.sqrt(), (1 - kept).sqrt()
    t = a / (a + b)
    assert torch.allclose(path.time(t), steps.double(), atol=1e-6)
    assert torch.allclose(path.size(t), a + b)
    assert path.ends == pytest.approx((float(t[-1]), float(t[0])))
    assert "1000 betas from 0.0001 to 0.02" in path.words


def test_steps_are_rounded_where_they_are_whole_and_held_within_the_chain():
    path = VariancePreserving("linear", 1e-4, 0.02, 1000, whole=True)
    steps = path.time(torch.linspace(1e-6, 1 - 1e-6, 99, dtype=torch.float64))
    assert torch.equal(steps, steps.round())
    assert (float(steps[0]), float(steps[-1])) == (999.0, 0.0)


def test_where_steps_are_whole_all_is_that_of_the_nearest_step():
    path, t = (
        VariancePreserving("linear", 1e-4, 0.02, 1000, whole=True),
        torch.linspace(0.01, 0.98, 50, dtype=torch.float64),
    )
    kept = (1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)).cumprod(0)[path.time(t).long()]
    a, b = kept.sqrt(), (1 - kept).sqrt()
    assert torch.allclose(path.held(t), a / (a + b), rtol=1e-12)
    assert torch.allclose(path.size(path.held(t)), a + b)
    assert torch.equal(path.time(path.held(t)), path.time(t))
    loose = VariancePreserving("linear", 1e-4, 0.02, 1000, whole=False)
    assert torch.equal(loose.held(t), t)


@pytest.mark.parametrize(
    ("betas", "ends", "words"),
    [
        ("scaled-linear", (0.00085, 0.012), "1000 betas from 0.00085 to 0.012, scaled-linear"),
        ("cosine", (None, None), "1000 betas, cosine"),
    ],
)
def test_betas_are_those_of_the_schedulers_of_diffusers(betas, ends, words):
    diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed: tox -e peers")
    theirs = {"scaled-linear": "scaled_linear", "cosine": "squaredcos_cap_v2"}[betas]
    given = {} if betas == "cosine" else dict(zip(("beta_start", "beta_end"), ends, strict=True))
    kept = diffusers.DDIMScheduler(num_train_timesteps=1000, beta_schedule=theirs, **given).alphas_cumprod.double()
    path, steps = VariancePreserving(betas, *ends, 1000, whole=True), torch.tensor([0, 1, 250, 500, 900, 980])
    a, b = kept[steps].sqrt(), (1 - kept[steps]).sqrt()
    assert torch.equal(path.time(a / (a + b)), steps.double())
    assert torch.allclose(path.held(a / (a + b)), a / (a + b), rtol=1e-4)  # theirs are products in float32
    assert words in path.words


def test_betas_are_their_formulas():
    rooted = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    u = torch.arange(1001, dtype=torch.float64) / 1000
    wave = torch.cos((u + 0.008) / 1.008 * torch.pi / 2) ** 2
    capped = (1 - wave[1:] / wave[:-1]).clamp(max=0.999)
    for path, betas in (
        (VariancePreserving("scaled-linear", 0.00085, 0.012, 1000, whole=True), rooted),
        (VariancePreserving("cosine", None, None, 1000, whole=True), capped),
    ):
        kept = (1 - betas).cumprod(0)
        t = kept.sqrt() / (kept.sqrt() + (1 - kept).sqrt())
        assert torch.allclose(path.held(t), t, rtol=1e-9)
        assert torch.equal(path.time(t), torch.arange(1000, dtype=torch.float64))
