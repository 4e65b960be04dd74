import numpy as np
import pytest

from kinetic._experiment.claims.threshold import ThresholdClaim
from kinetic.errors import OptionError


def claim(**more):
    return ThresholdClaim(**{"statement": "", "arms": "a", "scores": "m.copied", **more})


@pytest.mark.parametrize(
    ("copies", "bound", "expected"),
    [(1000, {"at_least": 0.99}, "holds"), (990, {"at_least": 0.99}, "undecided"),
     (900, {"at_least": 0.99}, "does not hold"),
     (0, {"at_most": 0.01}, "holds"), (100, {"at_most": 0.01}, "does not hold"),
     (995, {"at_least": 0.9, "delta": 0.2}, "holds, negligible")],
)  # fmt: skip
def test_a_share_is_compared_by_its_interval(make_run, results, said, copies, bound, expected):
    run = make_run({"e": np.arange(1000.0)}, copied=np.arange(1000) < copies)
    word, (part,) = said(claim(**bound), results({"a": run}))
    assert word == expected
    assert part.views["plain"].value == copies / 1000
    (side, number), *_ = bound.items()
    assert part.what == f"m.copied in a {side.replace('_', ' ')} {number:g}"


def test_the_mean_of_an_energy_is_compared_too(make_run, results, said):
    run = make_run({"e": np.arange(1000.0)}, copied=np.zeros(1000))
    assert said(claim(scores="e", at_least=400), results({"a": run}))[0] == "holds"
    assert said(claim(scores="none", at_least=400), results({"a": run}))[1][0].because


def test_where_noise_was_left_the_denoised_samples_must_pass_too(make_run, results, said):
    few, many = np.arange(1000) < 10, np.arange(1000) < 500
    run = make_run({"e": np.arange(1000.0)}, copied=few, denoised={"copied": many})
    word, (part,) = said(claim(at_most=0.1), results({"a": run}))
    assert word == "undecided"
    assert {view: known.value for view, known in part.views.items()} == {"plain": 0.01, "denoised": 0.5}


@pytest.mark.parametrize("bounds", [{}, {"at_least": 0.1, "at_most": 0.9}])
def test_one_bound_is_given(bounds):
    with pytest.raises(OptionError, match="one of 'at_least' and 'at_most' must be given, not"):
        claim(**bounds)
