"""Claims of a recipe, through a whole run."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from kinetic import load_recipe, load_run
from kinetic._experiment.claims.correlation import CorrelationClaim
from kinetic._experiment.claims.decide_claims import decide_claims
from kinetic._sample import runner

sys.path.insert(0, str(Path(__file__).parents[3] / "bench"))
import coverage_claims as bench

RECIPE = """
    title = "claims"
    [run]
    samples = 40
    batch = 15
    [data]
    name = "digits"
    size = 40
    [field]
    name = "digits"
    [solver]
    name = "euler"
    steps = 5
    [energy.kpe]
    [metrics.memorisation]
    [arms.plain]
    [arms.kts.schedule]
    name = "kts"
    [arms.long]
    solver = { steps = 10 }
    [claims.lower]
    kind = "difference"
    statement = "Shaping lowers the energy"
    arms = "kts"
    scores = "kpe"
    direction = "lower"
    [claims.free]
    kind = "difference"
    statement = "Shaping costs no call"
    arms = "kts"
    scores = "nfe"
    direction = "equal"
    [claims.apart]
    kind = "difference"
    statement = "Arms can be compared that the recipe does not compare"
    arms = "kts"
    baseline = "long"
    scores = ["nfe", "memorisation.ratio"]
    direction = "lower"
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    import textwrap

    folder = tmp_path_factory.mktemp("claims")
    (folder / "study.toml").write_text(textwrap.dedent(RECIPE))
    return load_recipe(folder / "study.toml").run(folder / "out", "cpu")


def test_a_run_says_of_each_claim_whether_it_holds(finished):
    words = {row["name"]: row["word"] for row in finished.claims}
    assert (words["lower"], words["free"]) == ("holds", "holds")
    assert [row["statement"] for row in finished.claims][:2] == ["Shaping lowers the energy", "Shaping costs no call"]
    assert not any(row["post_hoc"] for row in finished.claims)
    assert finished.claims == json.loads((finished.folder / "evidence.json").read_text())["claims"]


def test_a_difference_that_is_claimed_is_the_one_of_the_evidence(finished):
    (part,) = finished.claims[0]["parts"]
    (row,) = [row for row in finished.evidence["differences"] if row["name"] == "kpe" and row["arm"] == "kts"]
    assert part["views"]["plain"] == {key: row[key] for key in ("value", "low", "high")}


def test_arms_that_no_recipe_compares_have_a_control_of_their_own(finished):
    calls, ratio = finished.claims[2]["parts"]
    assert calls["views"]["plain"] == {"value": -5, "low": -5, "high": -5}
    assert [*ratio["views"]] == ["plain", "denoised", "control"]


def test_claims_that_change_draw_no_sample_and_say_that_they_came_late(finished, tmp_path, monkeypatch):
    copy = shutil.copytree(finished.folder, tmp_path / "copy")

    def sampled(*_, **__):
        raise AssertionError("a sample was drawn")

    monkeypatch.setattr(runner, "integrate", sampled)
    more = "claims.more={kind='threshold',statement='It costs energy',arms='plain',scores='kpe',at_least=1}"
    for _ in range(2):  # the second time all was there before
        run = load_recipe(finished.folder.parent / "study.toml", ["claims.free.delta=0.5", more]).run(copy, "cpu")
        late = {row["name"]: row["post_hoc"] for row in run.claims}
        assert late == {"lower": False, "free": True, "apart": False, "more": True}
    assert load_run(copy).recipe["claims"]["free"]["delta"] == 0.5
    assert "Declared when the run had been finished before" in (copy / "report.html").read_text()


@pytest.mark.parametrize("count", [1, 20])
def test_one_claim_of_many_needs_a_smaller_p_value(make_run, results, count):
    """rho with p about .01: by itself it holds, as one of twenty it does not."""
    rng = np.random.default_rng(0)
    e = rng.normal(size=400)
    scores = {f"s{i}": rng.normal(size=400) for i in range(19)} | {"planted": e * 0.1 + rng.normal(size=400)}
    known = results({"a": make_run({"e": e}, **scores)})

    def claim(name):
        return CorrelationClaim(statement=name, arms="a", energy="e", scores=f"m.{name}", direction="either")

    claims = {name: claim(name) for name in [*scores][20 - count :]}
    rows = {row["name"]: row for row in decide_claims(claims, known, {})}
    planted = rows["planted"]
    assert planted["p"] < 0.05
    assert planted["adjusted"] >= planted["p"] * (1 if count == 1 else 2)
    assert (planted["adjusted"] <= 0.05) == planted["word"].startswith("holds")
    assert planted["word"] == ("holds" if count == 1 else "undecided")


def test_recipes_of_planted_truths_are_called_right_at_the_stated_rates():
    """60 recipes of nine claims: of the 420 words that can be wrong a twentieth is at the most; what is large holds."""
    words = [bench.recipe(np.random.default_rng(turn), 500) for turn in range(60)]
    wrong = [said[name] in false for said in words for name, (_, false) in bench.PLANTED.items() if false]
    assert len(wrong) == 420
    assert np.mean(wrong) < 0.05
    for name in ("monotone", "inside", "apart"):
        assert np.mean([said[name] == "holds" for said in words]) > 0.85
    assert np.mean([said["same"] == "does not hold" for said in words]) > 0.5
    assert np.mean([said["negligible"] == "holds" for said in words]) < 0.1
