import numpy as np
import pytest

from kinetic.evidence._residuals import Beyond, residuals
from kinetic.evidence._table import Columns


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def test_residuals_are_those_of_least_squares(rng):
    controls, columns = rng.normal(size=(2, 80)), rng.normal(size=(3, 80)) * 5 + 7
    columns[0] += 2 * controls[0]
    left, function = residuals(columns, controls)
    design = np.stack([np.ones(80), *controls], 1)
    for row, column in zip(left, columns, strict=True):
        plain = column - design @ np.linalg.lstsq(design, column, rcond=None)[0]
        assert row * column.std() == pytest.approx(plain, abs=1e-10)
    assert not function.any()


def test_a_polynomial_of_the_controls_is_a_function_of_them_and_noise_is_not(rng):
    c = rng.normal(size=(3, 300))
    columns = np.stack([c.sum(0), c[0] * c[1] * c[2] - c[1] ** 3, c[0] + 1e-3 * rng.normal(size=300)])
    assert residuals(columns, c, 1)[1].tolist() == [True, False, False]
    assert residuals(columns, c, 3)[1].tolist() == [True, True, False]


def test_a_sum_in_float32_is_still_a_function_of_its_terms(rng):
    terms = (1000 + 30 * rng.normal(size=(3, 2000))).astype(np.float32)
    assert residuals(terms.sum(0)[None].astype(float), terms.astype(float))[1].all()


def test_controls_that_repeat_each_other_count_once(rng):
    c, x = rng.normal(size=(1, 60)), rng.normal(size=(1, 60))
    twice = np.concatenate([c, 2 * c + 1])
    assert residuals(x, twice, 3)[0] == pytest.approx(residuals(x, c, 3)[0], abs=1e-8)


@pytest.mark.parametrize(("n", "cubic"), [(79, False), (80, True)])
def test_cubic_residuals_of_three_controls_need_eighty_samples(rng, n, cubic):
    table = dict(zip("abcxy", rng.normal(size=(5, n)), strict=True))
    beyond = Beyond.of(Columns.of(table, ["x"], ["y"], ["a", "b", "c"]))
    assert (beyond.cubic is not None) == cubic
