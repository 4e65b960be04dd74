import numpy as np
import pytest

from kinetic import evidence
from kinetic.errors import OptionError
from kinetic.evidence import _two_lines as module

MONOTONE = {
    "flat": lambda x: 0 * x,
    "linear": lambda x: 0.5 * x,
    "saturating": lambda x: -np.exp(-1.5 * x) / 3,
    "step": lambda x: 2.0 * (x > 0.5),
    "plateau": lambda x: np.minimum(x, 0.0),
}


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.mark.parametrize("name", MONOTONE)
def test_what_has_no_optimum_inside_is_called_one_in_eight_of_a_hundred_draws_at_most(rng, name):
    said = []
    for _ in range(300):
        x = rng.normal(size=500)
        said.append(evidence.two_lines(x, MONOTONE[name](x) + rng.normal(size=500)).word)
    assert np.mean([word.startswith("holds") for word in said]) < 0.08


@pytest.mark.parametrize("kind", ["maximum", "minimum"])
def test_a_hump_is_seen_and_the_other_way_about(rng, kind):
    sign, other = (1, "minimum") if kind == "maximum" else (-1, "maximum")
    x = rng.normal(size=1000)
    y = -sign * 0.3 * (x - 0.3) ** 2 + rng.normal(size=1000)
    lines = evidence.two_lines(x, y, kind)
    assert lines.word == "holds"
    assert lines.at == pytest.approx(0.3, abs=0.5)
    assert (lines.below.sign, lines.above.sign) == (sign, -sign)
    assert evidence.two_lines(x, y, other).word == "does not hold"


def test_a_large_flat_or_monotone_relation_does_not_have_one(rng):
    x = rng.normal(size=4000)
    for curve in (MONOTONE["flat"], MONOTONE["linear"]):
        assert evidence.two_lines(x, curve(x) + rng.normal(size=4000)).word == "does not hold"


def test_slopes_and_errors_are_those_of_least_squares_with_hc3(rng):
    x = rng.normal(size=60)
    y = np.abs(x) + (1 + np.abs(x)) * rng.normal(size=60)
    below, above = module._slopes(x, y, 0.2)
    design = np.column_stack([np.ones(60), np.minimum(x - 0.2, 0), np.maximum(x - 0.2, 0), x >= 0.2])
    hat = design @ np.linalg.solve(design.T @ design, design.T)
    inverse = np.linalg.inv(design.T @ design)
    meat = np.diag(((y - hat @ y) / (1 - np.diag(hat))) ** 2)
    errors = np.sqrt(np.diag(inverse @ design.T @ meat @ design @ inverse))
    slopes = inverse @ design.T @ y
    assert (below.value, above.value) == pytest.approx(tuple(slopes[1:3]))
    assert (below.se, above.se) == pytest.approx(tuple(errors[1:3]))


def test_the_smooth_curve_is_a_spline_that_is_straight_beyond_its_knots(rng):
    x = np.sort(rng.normal(size=500))
    line, _ = module._smooth(x, 2 * x + 1)
    assert line == pytest.approx(2 * x + 1, abs=1e-9)
    curve, error = module._smooth(x, np.sin(x) + 0.1 * rng.normal(size=500))
    ends, inner = x > np.quantile(x, 0.95), np.abs(x) < 1.2
    assert curve[inner] == pytest.approx(np.sin(x[inner]), abs=0.1)
    slopes = np.diff(curve[ends]) / np.diff(x[ends])
    assert slopes == pytest.approx(np.full(len(slopes), slopes[0]), abs=1e-6)
    assert (error > 0).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: evidence.two_lines(np.arange(49), np.arange(49)), "two lines need 50 samples or more: 49"),
        (lambda: evidence.two_lines(np.ones(60), np.arange(60)), "'x' must vary: eight tenths of it are one value"),
        (lambda: evidence.two_lines(np.arange(60), np.ones(60)), "'y' must vary: all of it is one value"),
        (lambda: evidence.two_lines([1], [1], "top"), "'kind' must be one of maximum, minimum: 'top'"),
        (lambda: evidence.two_lines([1], [1], delta=-1), "'delta' must be a number >= 0: -1"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(OptionError) as caught:
        call()
    assert message in str(caught.value)
