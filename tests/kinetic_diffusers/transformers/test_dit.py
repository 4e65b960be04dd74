import torch
from kinetic_diffusers.transformers import dit
from kinetic_fields import Gaussian


def test_perfect_noise_of_a_gaussian_gives_its_exact_flow():
    mean, std = 0.3, 0.6
    kept = (1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)).cumprod(0)
    steps = torch.tensor([900, 500, 100])
    a, b = (each[steps].view(-1, 1, 1, 1) for each in (kept.sqrt(), (1 - kept).sqrt()))

    def net(hidden_states, timestep, class_labels, return_dict):
        assert torch.allclose(timestep, steps.double(), atol=1e-6)
        x1 = mean + a * std**2 / (a**2 * std**2 + b**2) * (hidden_states - a * mean)
        e = (hidden_states - a * x1) / b
        return (torch.cat([e, torch.ones_like(e)], 1),)

    x, t = torch.randn(3, 4, 2, 2, dtype=torch.float64), (a / (a + b)).flatten()
    v = dit.velocity(net, x, t, {"labels": torch.zeros(3, dtype=torch.int64)}, None)
    expected = Gaussian(size=16, mean=mean, std=std).velocity(x.flatten(1), t)
    assert torch.allclose(v.flatten(1), expected, rtol=0, atol=1e-9)
