import numpy as np
import pytest

from kinetic import evidence
from kinetic.errors import OptionError
from kinetic.evidence import Estimate


@pytest.mark.parametrize(
    ("ends", "direction", "word"),
    [
        ((0.2, 0.4), "higher", "holds"),
        ((0.02, 0.08), "higher", "holds, negligible"),
        ((-0.02, 0.08), "higher", "does not hold"),
        ((-0.4, -0.2), "higher", "does not hold"),
        ((-0.02, 0.2), "higher", "undecided"),
        ((0.05, 0.1), "higher", "holds"),
        ((-0.4, -0.2), "lower", "holds"),
        ((-0.08, -0.02), "lower", "holds, negligible"),
        ((-0.08, 0.3), "lower", "does not hold"),
        ((-0.2, 0.02), "lower", "undecided"),
        ((-0.4, -0.2), "either", "holds"),
        ((0.2, 0.4), "either", "holds"),
        ((-0.05, 0.06), "either", "does not hold"),
        ((0.01, 0.07), "either", "holds, negligible"),
        ((-0.2, 0.06), "either", "undecided"),
        ((-0.11, 0.11), "either", "does not hold"),  # the 90% interval lies within
        ((-0.13, 0.13), "either", "undecided"),
    ],
)
def test_each_verdict_has_its_word(ends, direction, word):
    low, high = ends
    estimate = Estimate((low + high) / 2, low, high)
    assert evidence.verdict(estimate, direction, 0.1).word == word


def test_what_is_undecided_says_the_n_that_would_decide():
    near = evidence.verdict(Estimate(0.05, -0.05, 0.15), "higher", 0.1, n=500)
    assert (near.word, near.times, near.n_to_decide) == ("undecided", pytest.approx(4.0), 2000)
    mirrored = evidence.verdict(Estimate(-0.05, -0.15, 0.05), "lower", 0.1, n=500)
    assert mirrored.times == pytest.approx(near.times)
    wrong_side = evidence.verdict(Estimate(-0.1, -0.5, 0.3), "higher", 0.1)
    assert (wrong_side.times, wrong_side.n_to_decide) == (pytest.approx(4.0), None)
    assert evidence.verdict(Estimate(0.0, -0.2, 0.2), "either", 0.0).times is None
    assert evidence.verdict(Estimate(1.0), "higher", 0.1, n=9) == evidence.Verdict("undecided")


def test_a_claim_of_several_does_not_hold_on_its_own_p_value():
    estimate = Estimate(0.3, 0.01, 0.59)
    assert evidence.verdict(estimate, "higher", 0.1, adjusted=0.04).word == "holds"
    undecided = evidence.verdict(estimate, "higher", 0.1, adjusted=2 * evidence.p_value(estimate))
    assert undecided.word == "undecided"
    assert undecided.times == pytest.approx((0.29 / 0.3 * 2.241403 / 1.959964) ** 2)  # 97.5% both sides, of two claims
    small = Estimate(0.04, 0.01, 0.07)
    assert evidence.verdict(small, "higher", 0.1, adjusted=0.2).word == "does not hold"


def test_a_rho_at_the_smallest_effect_that_matters_is_denied_in_one_run_of_twenty():
    rng, r, said = np.random.default_rng(1), 2 * np.sin(np.pi / 60), []
    for _ in range(400):
        x = rng.normal(size=500)
        y = r * x + np.sqrt(1 - r * r) * rng.normal(size=500)
        (row,) = evidence.spearman({"x": x, "y": y}, ["x"], ["y"])
        said.append(evidence.verdict(row.raw, "higher", 0.1).word)
    assert np.mean([word in ("does not hold", "holds, negligible") for word in said]) < 0.06


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("up", 0.1), "'direction' must be one of higher, lower, either: 'up'"), (("higher", -1), "'delta' must be")],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(OptionError) as caught:
        evidence.verdict(Estimate(0.0, -1.0, 1.0), *arguments)
    assert message in str(caught.value)
