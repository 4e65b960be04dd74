import pytest


@pytest.mark.parametrize("scale", [1.0, 1000.0])
@pytest.mark.parametrize("zero", ["noise", "data"])
@pytest.mark.parametrize("predicts", ["velocity", "x1", "denoised", "noise", "score"])
def test_on_the_line_every_prediction_and_direction_of_time_is_the_exact_velocity(predicts, zero, scale, perfect):
    net = perfect.linear(zero, predicts, scale)
    perfect.assert_exact(
        perfect.field(
            net, order="xt", zero=zero, predicts=predicts, path="linear", scale=scale, t_min=1e-3, t_max=1 - 1e-3
        )
    )
