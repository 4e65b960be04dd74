import numpy as np
import pytest

from kinetic import evidence
from kinetic.errors import OptionError
from kinetic.evidence import Estimate


def around(value, half=0.01):
    return Estimate(value, value - half, value + half)


@pytest.mark.parametrize(
    ("plain", "denoised", "control", "word"),
    [
        (-0.05, -0.03, -0.04, "less"),
        (0.0, -0.03, -0.04, "less"),
        (0.05, 0.03, 0.04, "more"),
        (0.0, 0.03, 0.04, "more"),
        (-0.05, 0.005, -0.005, "noise only"),
        (0.05, 0.005, 0.0, "noise only"),
        (-0.05, 0.03, 0.0, "undecided"),
        (-0.04, 0.019, -0.027, "undecided"),  # the shipped memorising net
        (-0.05, -0.03, 0.0, "undecided"),
        (0.0, 0.03, 0.0, "undecided"),
        (0.0, 0.0, 0.005, "no clear difference"),
        (0.0, 0.03, -0.03, "undecided"),
    ],
)
def test_each_case_has_its_word(plain, denoised, control, word):
    assert evidence.noise_verdict(*map(around, (plain, denoised, control)), 0.02) == word


def test_a_clear_difference_that_does_not_matter_is_none_where_the_plain_one_is_not_clear():
    controls = Estimate(0.005, 0.001, 0.009), around(0.0, 0.004)
    assert evidence.noise_verdict(around(0.0), *controls, 0.02) == "no clear difference"
    assert evidence.noise_verdict(around(-0.05), *controls, 0.02) == "noise only"


def test_what_is_not_known_well_is_not_called_noise():
    wide = around(0.0, 0.1)
    assert evidence.noise_verdict(around(-0.05), wide, wide, 0.02) == "undecided"
    assert evidence.noise_verdict(around(-0.05), wide, Estimate(0.0), 0.02) == "undecided"
    assert evidence.noise_verdict(Estimate(0.0), around(0.0), around(0.0), 0.02) == "undecided"


def trial(rng, n, less, hidden, step, delta=0.02):
    """A yes/no score, latent likeness > 0; the arm's is lower by `less`, and by `hidden` until a step takes it off."""
    base = rng.normal(size=n) - 0.075
    own = base - less + 0.15 * rng.normal(size=n)
    plain, denoised = own - hidden + 0.1 * rng.normal(size=n) > 0, own + step > 0
    stepped = base + step + 0.1 * rng.normal(size=n) > 0
    pairs = (plain, base > 0), (denoised, base > 0), (denoised, stepped)
    return evidence.noise_verdict(*(evidence.paired_difference(*pair) for pair in pairs), delta)


@pytest.mark.parametrize(
    ("n", "less", "hidden", "step", "wrong", "right"),
    [
        (2000, 0.0, 0.25, 0.15, {"less", "more"}, "undecided"),  # the step alone raises the score
        (4000, 0.0, 0.25, 0.0, {"less", "more"}, "noise only"),
        (500, 0.075, 0.25, 0.15, {"more", "noise only"}, "undecided"),
        (2000, 0.25, 0.25, 0.15, {"more", "noise only"}, "less"),
        (4000, -0.05, 0.05, 0.15, {"less", "noise only"}, "more"),
    ],
    ids=["noise only", "noise only, step that moves nothing", "less by .03", "less by .10", "more by .02"],
)
def test_planted_truths_are_called_wrong_in_three_of_a_hundred_draws_at_most(n, less, hidden, step, wrong, right):
    rng = np.random.default_rng(1)
    said = [trial(rng, n, less, hidden, step) for _ in range(200)]
    assert np.mean([word in wrong for word in said]) <= 0.03
    assert said.count(right) > 120


def test_undecided_says_what_would_decide():
    apart = evidence.undecided_because(around(0.019, 0.009), around(-0.027, 0.01), 0.01)
    assert apart == "the two controls are on different sides: more samples would not decide"
    near = evidence.undecided_because(around(-0.02, 0.04), around(-0.03, 0.01), 0.01, n=500)
    assert near.endswith("nor are both within 0.01: about 2,000 samples would decide")
    assert evidence.undecided_because(around(-0.02, 0.04), around(-0.03), 0.01).endswith(
        "about 4 times the samples would decide"
    )
    assert evidence.undecided_because(Estimate(0.0), around(0.0), 0.01) == "a difference has no interval"


def test_a_margin_below_zero_is_refused():
    with pytest.raises(OptionError, match="'delta' must be a number >= 0"):
        evidence.noise_verdict(around(0), around(0), around(0), -0.02)
