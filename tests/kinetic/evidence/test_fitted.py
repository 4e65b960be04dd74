import numpy as np
import pytest

from kinetic import evidence
from kinetic.evidence._fitted import Coefficients


def draw(rng, n):
    """Noise of energy and score grows with the first control."""
    c, (u, v) = rng.normal(size=(3, n)), rng.normal(size=(2, n))
    scale = np.exp(0.5 * c[0])
    y = c[0] - c[1] + scale * (0.4 * u + v) + 0.5 * c[0] ** 2
    return {"x": c.sum(0) + scale * u, "y": y, **dict(zip("abc", c, strict=True))}


def partial(table):
    return evidence.spearman(table, ["x"], ["y"], ["a", "b", "c"])[0].partial


def test_the_interval_covers_where_noise_grows_with_a_control():
    rng = np.random.default_rng(1)
    truth = partial(draw(rng, 400_000)).value
    drawn = [partial(draw(rng, 500)) for _ in range(400)]
    assert 0.925 < np.mean([each.low <= truth <= each.high for each in drawn]) < 0.98
    assert np.std([each.value for each in drawn]) == pytest.approx(np.mean([each.se for each in drawn]), rel=0.08)


def test_derivatives_are_those_of_rho_of_normal_columns():
    """r of x - b z with y is (r_xy - b r_zy)/sd: its derivative by b at 0 is -r_zy, x and z uncorrelated."""
    rng = np.random.default_rng(1)
    z, x, noise = rng.normal(size=(3, 200_000))
    y = 0.4 * x + 0.6 * z + np.sqrt(1 - 0.52) * noise
    coefficients = Coefficients.of(x[None], y[None], z[None])
    of_rho = 6 / np.pi / np.sqrt(1 - 0.2**2) / 2
    assert coefficients.of_x[0, 0, 0] == pytest.approx(-0.6 * of_rho, abs=0.02)
    assert coefficients.of_y[0, 0, 0] == pytest.approx(0.4 * 0.6 * of_rho, abs=0.02)
    expected = coefficients.of_x[0, 0, 0] * z * x / x.std() + coefficients.of_y[0, 0, 0] * z * y / y.std()
    assert coefficients.influence(0, slice(0, 1))[0] == pytest.approx(expected)
