from pathlib import Path

import pytest

from kinetic._store.origin import Change, check_origin, check_recipe, listed, made_of, unlike_origin, unlike_recipe
from kinetic.errors import StoreError

OURS = {"run": {"samples": 5, "batch": 2}, "metrics": {"kid": {}}}


def with_run(**more):
    return {**OURS, "run": {**OURS["run"], **more}}


@pytest.mark.parametrize(
    ("theirs", "change", "way"),
    [
        (with_run(samples=3), Change.NOTHING, "`--extend 5` adds samples to it. Choose"),
        (with_run(samples=9), Change.NOTHING, "`--extend 9` goes on with it. Choose"),
        (with_run(samples=9), Change.SAMPLES, "Give at least 9 with --extend. Choose"),
        (with_run(seed=1), Change.NOTHING, "\n  Choose another folder with --out, or delete it."),
        (with_run(seed=1), Change.SAMPLES, "run.seed is 1 there and missing here\n  Choose"),
        (with_run(seed=1), Change.METRICS, "run.seed is 1 there and missing here\n  Choose"),
        ({"run": OURS["run"]}, Change.NOTHING, "`kinetic rescore 'a run' --metrics ...` adds metrics to it. Choose"),
        (
            {**OURS, "metrics": {"kid": {}, "vendi": {}}},
            Change.NOTHING,
            "`kinetic run 'a run/recipe.toml' --out 'a run",
        ),
        ({**OURS, "metrics": {"kid": {"subsets": 3}}}, Change.SAMPLES, "metrics.kid.subsets is 3 there and missing"),
        ({"run": 3}, Change.NOTHING, "run is 3 there"),
        ({"run": 3}, Change.SAMPLES, "run is 3 there"),
    ],
)
def test_another_recipe_is_refused_with_what_differs_and_the_way_on(theirs, change, way):
    with pytest.raises(StoreError) as caught:
        check_recipe(Path("a run"), theirs, OURS, change)
    assert way in str(caught.value)


@pytest.mark.parametrize(
    ("theirs", "change"),
    [
        (OURS, Change.NOTHING),
        (with_run(samples=3), Change.SAMPLES),
        (OURS, Change.SAMPLES),
        ({"run": OURS["run"]}, Change.METRICS),
    ],
)
def test_what_may_change_is_no_difference(theirs, change):
    check_recipe(Path("run"), theirs, OURS, change)
    assert unlike_recipe(theirs, OURS, change) == []


def test_many_differences_are_counted():
    lines = [f"key{i} is 1 there and 2 here" for i in range(11)]
    assert listed(lines) == [*lines[:8], "and 3 more"]
    assert listed(lines[:8]) == lines[:8]


def test_samples_are_made_by_what_draws_them_and_not_by_how_many_there_are():
    identity = {"a": {"field": "12"}, "b": {"field": "13"}, "[run]": {"torch": "2"}}
    made = made_of(OURS, identity, "a")
    assert made == made_of(with_run(samples=500), identity, "a")
    assert made == made_of({"run": OURS["run"]}, {**identity, "b": {}}, "a")
    for other in (with_run(batch=3), with_run(dtype="float64"), with_run(classes=2)):
        assert made != made_of(other, identity, "a")
    assert made != made_of(OURS, identity, "b")
    assert made != made_of(OURS, {**identity, "[run]": {"torch": "3"}}, "a")


def test_origins_are_compared_as_files_hold_them():
    assert unlike_origin({"a": {"x": [1]}}, {"a": {"x": (1,)}}) == []
    with pytest.raises(StoreError, match=r"was made with other weights or data:\n  a\.x is 1 there and 2 here"):
        check_origin(Path("run"), {"a": {"x": 1}}, {"a": {"x": 2}})
