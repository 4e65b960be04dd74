import numpy as np
import pytest

from kinetic._experiment.claims.optimum import OptimumClaim


def claim(**more):
    return OptimumClaim(**{"statement": "", "arms": "a", "energy": "e", "scores": "m.s", **more})


def planted(make_run, curve, seed=0, n=2000):
    e, noise = np.random.default_rng(seed).normal(size=(2, n))
    return make_run({"e": e}, s=curve(e) + noise)


CURVES = {"hump": lambda e: -0.4 * e**2, "bowl": lambda e: 0.4 * e**2, "line": lambda e: e, "flat": lambda e: 0 * e}


@pytest.mark.parametrize(
    ("curve", "direction", "expected"),
    [("hump", "maximum", "holds"), ("bowl", "maximum", "does not hold"), ("bowl", "minimum", "holds"),
     ("hump", "minimum", "does not hold"), ("line", "maximum", "does not hold"), ("flat", "minimum", "does not hold")],
)  # fmt: skip
def test_a_planted_optimum_is_called_right(make_run, results, said, curve, direction, expected):
    word, (part,) = said(claim(direction=direction), results({"a": planted(make_run, CURVES[curve])}))
    assert word == expected
    assert part.what == f"{direction} of m.s over e in a"
    assert [*part.views] == ["slope below", "slope above"]
    if curve in ("hump", "bowl"):
        assert part.views["slope below"].sign == (1 if curve == "hump" else -1)


@pytest.mark.parametrize(("curve", "expected"), [("hump", "holds"), ("line", "does not hold")])
def test_over_several_trainings_slopes_and_fifths_are_averaged(make_run, results, said, curve, expected):
    runs = {f"a.{i}": planted(make_run, CURVES[curve], i, 1000) for i in range(5)}
    units = {"a": tuple((run,) for run in runs)}
    word, (part,) = said(claim(), results(runs, units, of="seeds"))
    assert word == expected
    assert (part.n, part.views["slope below"].dof) == (5, 4)


def test_too_few_samples_and_lost_columns_say_nothing_and_why(make_run, results, said):
    few = results({"a": planted(make_run, CURVES["line"], n=20)})
    assert "two lines need 50 samples or more: 20" in said(claim(), few)[1][0].because
    assert "no number of each sample" in said(claim(scores="m.none"), few)[1][0].because
