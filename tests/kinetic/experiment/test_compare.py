"""What the arms say together, on runs whose numbers are known."""

import math

import attrs
import numpy as np
import pytest
import torch
from kinetic_metrics import Memorisation

from kinetic import Column, Estimate, Run, Score, Status, evidence
from kinetic._experiment.compare import compare

N = 40


def score(values, **more):
    described = {"good": Column("good", "good is good.", better="higher"), "set": Column("set")}
    leave_out = np.linspace(0, 1, evidence.GROUPS) + float(values[0])
    return Score(
        {"good": Estimate(float(values.mean())), "set": Estimate(float(values[0]), leave_out=leave_out)},
        torch.arange(N),
        {"good": values, **more},
        described=described | {name: Column(name, kind="index") for name in more},
    )


def run(shift=0.0, views=("plain",), **energy):
    generator = torch.Generator().manual_seed(0)
    base = {
        name: torch.rand(N, generator=generator, dtype=torch.float64)
        for name in ("mine", "x0_sq", "x0_dot_x1", "x1_sq")
    }
    base["mine"] = base["mine"] + shift
    base |= {"gain": torch.full((N,), 0.9, dtype=torch.float64), **energy}
    kinds = dict.fromkeys(base, "energy") | {"gain": "label"}
    values = torch.arange(N, dtype=torch.float64)
    scored = {v: {"m": score(values + shift * (i + 1), index=torch.arange(N))} for i, v in enumerate(views)}
    return Run(
        torch.zeros(N, 2),
        torch.zeros(N, 2),
        base,
        scored,
        described={name: Column(name, kind=kind) for name, kind in kinds.items()},
        terms={"mine": {"x0_sq": 0.5, "x1_sq": 2.0}},
    )


def rows(found, **wanted):
    return [row for row in found["differences"] if all(row[key] == value for key, value in wanted.items())]


def test_a_score_resampled_over_the_reference_is_subtracted_once_and_not_column_by_column():
    """`good` is a column and a value; resampled over the reference on both sides the value alone counts."""
    draws = np.random.default_rng(0).normal(size=(2, evidence.GROUPS))

    def resampled(shift, **more):
        made = run(shift)
        plain = made.details["m"]
        known = Estimate(float(plain.columns["good"].mean()), leave_out=draws[0] * (1 + shift), **more)
        made.views["plain"]["m"] = attrs.evolve(plain, values={"good": known})
        return made

    first, second = ({"leave_out_reference": draws[1], "unbiased": value} for value in (5.0, 7.0))
    both = compare({"a": resampled(0.0, **first), "b": resampled(1.0, **second)}, {"b": "a"}, {})
    (row,) = rows(both, metric="m", name="good")
    assert row["value"] == 2.0
    one = compare({"a": resampled(0.0), "b": resampled(1.0, **second)}, {"b": "a"}, {})
    (row,) = rows(one, metric="m", name="good")
    assert row["value"] == pytest.approx(1.0)


def test_a_difference_is_of_one_view_and_says_which():
    """Plain columns are apart by 1, denoised by 2 minus 0 of the plain baseline, and by 2 - 5 from the control."""
    runs = {"plain": run(), "kts": run(1.0, ("plain", "denoised"))}
    control = {"kts": {"m": score(torch.arange(N, dtype=torch.float64) + 5)}}
    found = compare(runs, {"kts": "plain"}, control)
    apart = {row["view"]: row["value"] for row in rows(found, metric="m", name="good")}
    assert apart == {"plain": pytest.approx(1), "denoised": pytest.approx(2), "control": pytest.approx(-3)}
    sets = {row["view"]: row["value"] for row in rows(found, metric="m", name="set")}
    assert sets == {"plain": pytest.approx(1), "denoised": pytest.approx(2), "control": pytest.approx(-3)}
    assert not rows(found, name="index")
    assert [row["view"] for row in rows(found, metric="energy")] == ["plain"]


def test_where_the_baseline_alone_left_noise_the_arm_takes_the_step_and_the_view_says_so():
    runs = {"noisy": run(1.0, ("plain", "denoised")), "clean": run()}
    control = {"clean": {"m": score(torch.arange(N, dtype=torch.float64) + 5)}}
    found = compare(runs, {"clean": "noisy"}, control)
    apart = {row["view"]: row["value"] for row in rows(found, metric="m", name="good")}
    assert apart == {"plain": pytest.approx(-1), "denoised": pytest.approx(-2), "control": pytest.approx(3)}


def test_without_noise_there_is_one_view():
    found = compare({"a": run(), "b": run(1.0)}, {"b": "a"}, {})
    assert {row["view"] for row in found["differences"]} == {"plain"}


def test_what_is_not_finite_has_no_part_and_takes_nothing_else_with_it():
    bad = torch.full((N,), math.inf, dtype=torch.float64)
    found = compare({"fine": run(other=bad * 0 + torch.arange(N)), "far": run(other=bad)}, {"far": "fine"}, {})
    assert not rows(found, name="other")
    assert rows(found, name="mine")
    assert {row["energy"] for row in found["correlations"]["far"]} == {"mine"}
    assert any("column other is not finite" in note for note in found["notes"]["far"]["energy"])


def test_what_is_shown_is_counted_and_what_is_not_is_not():
    found = compare({"a": run(views=("plain", "denoised"))}, {}, {})
    shown = {(row["score"], row["view"]): row["shown"] for row in found["correlations"]["a"]}
    assert shown == {("good", "plain"): True, ("good", "denoised"): False}
    count = found["multiplicity"]["a"]
    assert count["shown"] == 3  # rho, beyond norms, fifths
    assert 0 < count["mean"] < 1
    assert count["low"] <= count["mean"] <= count["high"]


def test_shares_are_of_the_terms_a_meter_declares():
    arm = run()
    shares = compare({"a": arm}, {}, {})["shares"]["a"]["mine"]
    about = arm.energy["mine"] - arm.energy["mine"].mean()
    for name, weight in (("x0_sq", 0.5), ("x1_sq", 2.0)):
        term = weight * (arm.energy[name] - arm.energy[name].mean())
        assert shares[name]["value"] == pytest.approx(float((term * about).sum() / (about * about).sum()))


def test_every_column_says_what_it_is():
    meanings = compare({"a": run()}, {}, {})["columns"]
    assert meanings["m"]["good"]["says"] == "good is good."
    assert meanings["m"]["good"]["better"] == "higher"
    assert meanings["energy"]["gain"]["kind"] == "label"
    assert meanings["m"]["index"]["kind"] == "index"


def test_scores_by_unlike_yardsticks_stand_side_by_side_and_are_not_subtracted():
    """256 and 1,437 training points: which is nearest says something else."""
    few, many = (Memorisation(train=torch.randn(n, 2, generator=torch.Generator().manual_seed(0))) for n in (5, 9))
    arms = {"a": attrs.evolve(run(), metrics={"m": few}), "b": attrs.evolve(run(1.0), metrics={"m": many})}
    found = compare(arms, {"b": "a"}, {})
    assert {row["metric"] for row in found["differences"]} == {"energy"}
    (row,) = [row for row in found["side_by_side"] if row["name"] == "set"]
    assert (row["arm"], row["against"], row["why"]) == ("b", "a", "'train' differs")
    assert (row["value"]["value"], row["baseline"]["value"]) == (1.0, 0.0)
    alike = {name: attrs.evolve(arm, metrics={"m": few}) for name, arm in arms.items()}
    again = compare(alike, {"b": "a"}, {})
    assert again["side_by_side"] == []
    assert rows(again, metric="m")


def set_score(shift, **estimate):
    made = run(shift)
    plain = made.details["m"]
    made.views["plain"]["m"] = attrs.evolve(plain, values=plain.values | {"set": Estimate(shift, **estimate)})
    return made


GROUPED = {"leave_out": np.linspace(0, 1, evidence.GROUPS)}


@pytest.mark.parametrize(
    ("mine", "its", "why"),
    [
        ({}, {}, "not compared: no replicates"),
        (GROUPED, {}, "not compared: no replicates"),
        (GROUPED, {"leave_out": np.linspace(0, 1, 10)}, "not compared: replicates of other groups"),
    ],
)
def test_a_score_of_the_set_without_replicates_stands_side_by_side_and_says_so(mine, its, why):
    found = compare({"a": set_score(0.0, **its), "b": set_score(1.0, **mine)}, {"b": "a"}, {})
    (row,) = found["side_by_side"]
    assert (row["metric"], row["name"], row["why"]) == ("m", "set", why)
    assert (row["value"]["value"], row["baseline"]["value"]) == (1.0, 0.0)
    assert not rows(found, name="set")
    assert rows(found, name="good"), "means of columns need no replicates"


def test_a_score_of_the_set_is_not_compared_where_samples_of_one_arm_were_left_out():
    arms = {"a": set_score(0.0, **GROUPED), "b": set_score(1.0, **GROUPED)}
    assert compare(arms, {"b": "a"}, {})["side_by_side"] == []
    status = torch.zeros(N, dtype=torch.float64)
    status[3] = int(Status.NOT_FINITE)
    arms["b"] = attrs.evolve(run(1.0, status=status, finite_until=1 - status / 9), views=arms["b"].views)
    assert not torch.equal(arms["a"].finite, arms["b"].finite)
    (row,) = compare(arms, {"b": "a"}, {})["side_by_side"]
    assert (row["name"], row["why"]) == ("set", "not compared: samples of one arm were left out")


@pytest.mark.parametrize(
    ("shift", "control", "word"),
    [
        (-20.0, 10.0, "less"),
        (-20.0, -100.0, "undecided"),
        (0.0, 0.0, "no clear difference"),
    ],
)
def test_a_verdict_is_of_all_views_together(shift, control, word):
    """Denoised minus plain is 2 shift, and minus the control 2 shift - control."""
    runs = {"plain": run(), "kts": run(shift, ("plain", "denoised"))}
    scores = {"kts": {"m": score(torch.arange(N, dtype=torch.float64) + control)}}
    found = compare(runs, {"kts": "plain"}, scores)
    (row,) = [row for row in found["verdicts"] if row["name"] == "good"]
    assert row["word"] == word
    assert bool(row["because"]) == (word == "undecided")


def test_noise_only_is_said_where_both_controls_are_within_delta():
    """Plain differs by 1, the denoised samples by nothing from plain and control: all exact."""
    base = torch.arange(N, dtype=torch.float64)
    plain = attrs.evolve(run(), views={"plain": {"m": score(base)}})
    noisy = attrs.evolve(run(), views={"plain": {"m": score(base - 1)}, "denoised": {"m": score(base)}})
    controls = {"kts": {"m": score(base)}}
    words = [
        next(
            row["word"]
            for row in compare({"p": plain, "kts": noisy}, {"kts": "p"}, controls, delta)["verdicts"]
            if row["name"] == "good"
        )
        for delta in (0.05, 0.0)
    ]
    assert words == ["noise only", "noise only"]
