import numpy as np
import pytest
import torch

from kinetic._experiment.claims.correlation import CorrelationClaim
from kinetic.errors import OptionError


def claim(**more):
    return CorrelationClaim(**{"statement": "", "arms": "a", "energy": "e", "scores": "m.s", **more})


@pytest.mark.parametrize(
    ("r", "direction", "expected"),
    [(0.4, "higher", "holds"), (-0.4, "higher", "does not hold"), (-0.4, "lower", "holds"), (0.4, "either", "holds"),
     (0.0, "equal", "holds"), (0.4, "equal", "does not hold"), (0.0, "higher", "does not hold")],
)  # fmt: skip
def test_a_planted_correlation_is_called_right(make_run, results, said, r, direction, expected):
    rng = np.random.default_rng(1)
    e, noise = rng.normal(size=(2, 3000))
    run = make_run({"e": e}, s=r * e + np.sqrt(1 - r * r) * noise)
    word, (part,) = said(claim(direction=direction), results({"a": run}))
    assert word == expected
    assert part.what == "rho of e with m.s in a"
    assert part.views["plain"].value == pytest.approx(6 / np.pi * np.arcsin(r / 2), abs=0.05)
    assert part.n == 3000


def test_what_the_norms_alone_make_is_nothing_given_the_norms(make_run, results, said):
    rng = np.random.default_rng(2)
    run = make_run({"e": np.zeros(2000)}, s=np.zeros(2000))
    total = sum(run.energy[name] for name in ("x0_sq", "x0_dot_x1", "x1_sq")).numpy()
    e, s = total + rng.normal(size=2000), total + rng.normal(size=2000)
    run = make_run({"e": e}, s=s)
    assert said(claim(), results({"a": run}))[0] == "holds"
    assert said(claim(given="norms"), results({"a": run}))[0] == "does not hold"
    linked = make_run({"e": e}, s=s + 0.5 * (e - total))
    word, (part,) = said(claim(given="norms"), results({"a": linked}))
    assert word == "holds"
    assert part.what == "rho of e with m.s given the norms in a"


def test_what_classes_alone_make_is_nothing_within_classes(make_run, results, said):
    rng, classes = np.random.default_rng(3), np.arange(3000) % 10
    e, s = classes + rng.normal(size=(2, 3000))
    run = make_run({"e": e}, condition=torch.as_tensor(classes), s=s)
    assert said(claim(), results({"a": run}))[0] == "holds"
    assert said(claim(given="class"), results({"a": run}))[0] == "does not hold"


def test_a_claim_of_two_arms_holds_where_it_does_in_both(make_run, results, said):
    rng = np.random.default_rng(4)
    e, noise = rng.normal(size=(2, 2000))
    runs = {"a": make_run({"e": e}, s=e + noise), "b": make_run({"e": e}, s=-e + noise)}
    word, parts = said(claim(arms=["a", "b"]), results(runs))
    assert word == "does not hold"
    assert [part.what[-1] for part in parts] == ["a", "b"]


def test_over_several_trainings_the_interval_is_over_the_trainings(make_run, results, said):
    """Three trainings of 500 samples: rho .5, .0, -.1. None of the 1,500 samples is counted as independent of them."""
    rng, runs = np.random.default_rng(5), {}
    for name, r in {"a.x": 0.5, "a.y": 0.0, "a.z": -0.1}.items():
        e, noise = rng.normal(size=(2, 500))
        runs[name] = make_run({"e": e}, s=r * e + np.sqrt(1 - r * r) * noise)
    word, (part,) = said(claim(), results(runs, {"a": (("a.x",), ("a.y",), ("a.z",))}, of="trainings"))
    assert word == "undecided"
    assert part.n == 3
    assert part.views["plain"].dof == 2


def test_a_constant_score_says_nothing_and_why(make_run, results, said):
    run = make_run({"e": np.arange(100.0)}, s=np.zeros(100))
    word, (part,) = said(claim(), results({"a": run}))
    assert word == "undecided"
    assert "varies too little" in part.because
    assert "no number" in next(claim(scores="m.other").parts(results({"a": run}))).because


@pytest.mark.parametrize(
    ("options", "message"),
    [({"direction": "up"}, "'direction' must be one of 'higher', 'lower', 'either', 'equal': 'up'"),
     ({"delta": 0}, "'delta' must be"), ({"given": "noise"}, "'given' must be one of 'nothing', 'norms', 'class'"),
     ({"scores": []}, "'scores' must be a list of strings, 1 or more"), ({"arms": 3}, "'arms' must be")],
)  # fmt: skip
def test_bad_options_are_named(options, message):
    with pytest.raises(OptionError) as caught:
        claim(**options)
    assert message in str(caught.value)
