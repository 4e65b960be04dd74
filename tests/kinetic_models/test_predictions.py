import pytest
import torch


@pytest.mark.parametrize("scale", [1.0, 1000.0])
@pytest.mark.parametrize("zero", ["noise", "data"])
@pytest.mark.parametrize("predicts", ["velocity", "x1", "denoised", "noise", "score", "v"])
def test_on_the_line_every_prediction_and_direction_of_time_is_the_exact_velocity(predicts, zero, scale, perfect):
    net = perfect.linear(zero, predicts, scale)
    perfect.assert_exact(
        perfect.field(
            net, order="xt", zero=zero, predicts=predicts, path="linear", scale=scale, t_min=1e-3, t_max=1 - 1e-3
        )
    )


def test_v_of_noise_of_another_scale_is_converted_by_it(perfect):
    """y = t x1 + (1 - t) T e and v = t e - (1 - t) x1 of the true x1 and e give x1 - T e."""
    scale, n = 2.0, 50
    x1, e, t = torch.randn(n, 3), torch.randn(n, 3), torch.rand(n, 1)
    x = t * x1 + (1 - t) * scale * e
    f = perfect.field(
        lambda y, s: t * e - (1 - t) * x1,
        order="xt", zero="noise", predicts="v", path="linear", noise_scale=scale,
    )  # fmt: skip
    assert torch.allclose(f.velocity(x, t[:, 0]), x1 - scale * e, atol=1e-5)
