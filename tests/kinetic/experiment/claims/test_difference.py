import numpy as np
import pytest

from kinetic._experiment.claims.difference import DifferenceClaim


def claim(**more):
    return DifferenceClaim(**{"statement": "", "arms": "b", "scores": "m.s", **more})


@pytest.fixture
def pair(make_run):
    """pair(shift): two arms whose scores are apart by so many standard deviations."""

    def make(shift, n=1000, **views):
        rng = np.random.default_rng(0)
        s, noise = rng.normal(size=(2, n))
        other = s + shift + 0.1 * noise
        nfe = np.full(n, 50.0)
        return {"a": make_run({"e": s, "nfe": nfe}, s=s), "b": make_run({"e": other, "nfe": nfe}, s=other, **views)}

    return make


@pytest.mark.parametrize(
    ("shift", "direction", "expected"),
    [(0.3, "higher", "holds"), (-0.3, "higher", "does not hold"), (-0.3, "lower", "holds"), (0.0, "equal", "holds"),
     (0.3, "equal", "does not hold"), (0.3, "either", "holds"), (0.02, "higher", "holds, negligible")],
)  # fmt: skip
def test_a_planted_difference_is_called_right_of_a_score_and_of_an_energy(
    pair, results, said, shift, direction, expected
):
    known = results(pair(shift), baselines={"b": "a"})
    for score in ("m.s", "e"):
        word, (part,) = said(claim(direction=direction, scores=score), known)
        assert word == expected
        assert part.what == f"{score}, b minus a"
        assert part.delta == pytest.approx(0.05, rel=0.1)  # of a standard deviation of 1


def test_a_score_can_be_named_by_its_column_or_its_mean(pair, results, said):
    known = results(pair(0.3), baselines={"b": "a"})
    ends = [said(claim(scores=name), known)[1][0].views["plain"].value for name in ("m.s", "m.mean_s")]
    assert ends[0] == ends[1] == pytest.approx(0.3, abs=0.02)


def test_arms_that_ask_as_often_are_equal_in_calls(pair, results, said):
    """50 calls of every sample have no standard deviation: delta is a share of them."""
    word, (part,) = said(claim(scores="nfe", direction="equal"), results(pair(0.3), baselines={"b": "a"}))
    assert (word, part.delta) == ("holds", pytest.approx(2.5))


@pytest.mark.parametrize(
    ("plain", "denoised", "control", "expected"),
    [(-0.3, -0.3, -0.3, "holds"), (-0.3, 0.3, -0.3, "undecided"), (-0.3, 0.0, 0.0, "does not hold"),
     (0.0, -0.3, -0.3, "holds")],
)  # fmt: skip
def test_where_noise_was_left_the_denoised_samples_and_their_control_decide(
    make_run, results, said, plain, denoised, control, expected
):
    rng = np.random.default_rng(0)
    s, noise = rng.normal(size=(2, 1000))
    base = make_run({"e": s}, s=s)
    arm = make_run({"e": s}, s=s + plain + 0.1 * noise, denoised={"s": s + denoised + 0.1 * noise})
    stepped = make_run({"e": s}, s=s + denoised - control + 0.1 * rng.normal(size=1000)).details
    known = results({"a": base, "b": arm}, controls={("b", "a"): stepped}, baselines={"b": "a"})
    word, (part,) = said(claim(direction="lower"), known)
    assert word == expected
    assert [*part.views] == ["plain", "denoised", "control"]


def test_another_baseline_can_be_named(pair, results, said):
    known = results(pair(0.3), baselines={"b": "other"})
    assert claim(baseline="a").pairs({"b": "other"}) == [("b", "a")]
    assert claim().pairs({"b": "other"}) == [("b", "other")]
    assert said(claim(baseline="a"), known)[0] == "holds"


def test_over_several_trainings_differences_are_averaged_run_by_run(pair, results, said):
    runs = {}
    for i, shift in enumerate((0.2, 0.3, 0.4, 0.5)):
        own = pair(shift, 200)
        runs |= {f"a.{i}": own["a"], f"b.{i}": own["b"]}
    units = {arm: tuple((f"{arm}.{i}",) for i in range(4)) for arm in "ab"}
    word, (part,) = said(claim(), results(runs, units, baselines={"b": "a"}, of="trainings"))
    assert word == "holds"
    assert (part.n, part.views["plain"].dof) == (4, 3)
    assert part.views["plain"].value == pytest.approx(0.35, abs=0.03)


def test_what_is_never_subtracted_says_nothing_and_why(pair, results, said):
    word, (part,) = said(claim(scores="m.none"), results(pair(0.3), baselines={"b": "a"}))
    assert (word, part.n) == ("undecided", 0)
    assert part.because
