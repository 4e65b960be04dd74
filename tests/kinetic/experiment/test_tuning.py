import pytest

from kinetic._experiment.tuning import Candidate, candidates, chosen, first_run, front, judged, read_tuning, second_run
from kinetic.errors import OptionError, RecipeError, UnknownNameError

ARMS = {"plain": {}, "kts": {"baseline": "plain", "schedule": {"name": "kts"}}, "hot": {"field": {"scale": 1.1}}}
TUNE = {
    "fidelity": "fd.fd",
    "copying": "mem.f_mem",
    "search": {
        "arms.kts.schedule.alpha": [0.0, 0.1],
        "arms.kts.schedule.beta": [0.01, 0.02],
        "arms.hot.field.scale": [2],
    },
}
CONTENT = {
    "run": {"samples": 9, "seed": 3},
    "field": "digits",
    "energy": {"kpe": {}},
    "metrics": {"fd": {"name": "frechet"}, "mem": {}, "more": {}},
    "arms": ARMS,
    "tune": TUNE,
}


def test_candidates_are_all_combinations_and_arms_of_one_run_beside_the_reference():
    tuning = read_tuning(CONTENT)
    some = candidates(tuning)
    assert [each.name for each in some] == ["kts-1", "kts-2", "kts-3", "kts-4", "hot-1"]
    assert some[2].settings == {"arms.kts.schedule.alpha": 0.1, "arms.kts.schedule.beta": 0.01}
    content = first_run(CONTENT, tuning, some)
    assert content["run"] == {"samples": 9, "seed": 1000}
    assert list(content["arms"]) == ["plain", *(each.name for each in some)]
    assert content["arms"]["kts-3"] == {"baseline": "plain", "schedule": {"name": "kts", "alpha": 0.1, "beta": 0.01}}
    assert content["arms"]["hot-1"] == {"baseline": "plain", "field": {"scale": 2}}
    assert list(content["metrics"]) == ["fd", "mem"]
    assert not {"tune", "energy"} & {*content}


def test_the_second_run_is_the_recipe_itself_with_what_was_chosen():
    content = second_run(CONTENT, [Candidate("kts-2", "kts", {"arms.kts.schedule.beta": 0.02})])
    kts = {"baseline": "plain", "schedule": {"name": "kts", "beta": 0.02}}
    assert content == {**{key: CONTENT[key] for key in CONTENT if key != "tune"}, "arms": {**ARMS, "kts": kts}}


def test_searches_of_the_command_line_take_the_place_of_the_table():
    tuning = read_tuning(CONTENT, ["arms.hot.field.scale=0.5, 2", "arms.hot.field.kind=a,b"][:1])
    assert tuning.search == {"hot": {"arms.hot.field.scale": [0.5, 2]}}


def evidence(numbers):
    """Of candidates `{name: {score: {view: value}}}`; the fidelity is a distance of 10 in the reference."""
    rows = [
        {"arm": arm, "metric": metric, "name": name, "view": view, "value": value, "low": value - 1, "high": value + 1}
        for arm, scores in numbers.items()
        for (metric, name), views in scores.items()
        for view, value in views.items()
    ]
    return {
        "columns": {
            "fd": {"fd": {"value": "fd", "better": "lower"}},
            "mem": {"m": {"value": "f_mem", "better": "lower"}},
        },
        "delta": 0.05,
        "differences": rows,
        "verdicts": [{"arm": arm, "metric": "fd", "name": "fd", "scale": 10.0} for arm in numbers],
    }


def test_of_an_arm_that_copies_least_is_chosen_among_those_that_lose_no_fidelity_that_matters():
    """By the worse of both controls; .05 of a distance of 10 is what matters."""
    tuning = read_tuning(CONTENT)
    some = candidates(tuning)
    fd, mem = ("fd", "fd"), ("mem", "m")
    found = judged(
        some,
        tuning,
        evidence(
            {
                "kts-1": {
                    fd: {"plain": 9.0, "denoised": 0.1, "control": 0.2},
                    mem: {"plain": -0.5, "denoised": 0.1, "control": -0.3},
                },
                "kts-2": {fd: {"plain": 0.4}, mem: {"plain": -0.2}},
                "kts-3": {fd: {"plain": 0.6}, mem: {"plain": -0.4}},
                "kts-4": {fd: {"plain": 0.5}, mem: {"plain": -0.1}},
                "hot-1": {fd: {"plain": 3.0}, mem: {"plain": -0.1}},
            }
        ),
    )
    assert [(each.loss, each.copies) for each in found[:2]] == [(0.2, 0.1), (0.4, -0.2)]
    assert {arm: each.candidate.name for arm, each in chosen(found).items()} == {"kts": "kts-2", "hot": "hot-1"}
    assert [each.candidate.name for each in front(found)] == ["kts-2", "kts-3"]


@pytest.mark.parametrize(
    ("changed", "searches", "error", "said"),
    [
        ({"fidelity": "fd"}, (), RecipeError, "[tune] needs `fidelity`, a score, as in"),
        ({"reference": "none"}, (), UnknownNameError, "[tune] `reference` names no arm: 'none'"),
        ({"seed": 3}, (), RecipeError, "[tune] 'seed' must be another than that of [run]"),
        ({"seed": -1}, (), OptionError, "[tune] 'seed' must be an int >= 0: -1"),
        ({"samples": 0}, (), OptionError, "[tune] 'samples' must be an int >= 1: 0"),
        ({"search": {}}, (), RecipeError, "there is nothing to search"),
        ({"search": {"solver.steps": [1]}}, (), RecipeError, "a search is over options of arms"),
        ({"search": {"arms.no.field.a": [1]}}, (), UnknownNameError, "a search names no arm: 'no'"),
        ({"search": {"arms.plain.field.a": [1]}}, (), RecipeError, "arm 'plain' is what candidates are compared with"),
        ({"search": {"arms.kts.schedule.beta": 1}}, (), RecipeError, "must be a list of numbers, strings"),
        ({"more": 1}, (), UnknownNameError, "[tune] has no key 'more'"),
        ({}, ("arms.kts.schedule.beta",), RecipeError, "a search is KEY=V1,V2"),
    ],
)
def test_what_cannot_be_searched_is_said_before_any_work(changed, searches, error, said):
    with pytest.raises(error) as caught:
        read_tuning({**CONTENT, "tune": {**TUNE, **changed}}, searches)
    assert said in str(caught.value)


def test_too_many_candidates_are_refused():
    tune = {**TUNE, "search": {f"arms.kts.schedule.{key}": [*range(6)] for key in "abc"}}
    with pytest.raises(RecipeError, match="a search must have at most 200 candidates, each an arm of one run: 216"):
        candidates(read_tuning({**CONTENT, "tune": tune}))
