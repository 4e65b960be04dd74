"""What a search over options of arms declares, the candidates it has, and which of them are chosen."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, final

import attrs

from kinetic._evaluate.views import DENOISED, PLAIN
from kinetic._experiment.overrides import overridden, parsed
from kinetic._experiment.read_recipe import check_keys
from kinetic.errors import RecipeError, shown, unknown
from kinetic.options import check_integer

_KEYS = ("reference", "fidelity", "copying", "seed", "samples", "search")
_MOST = 200  # candidates: each is an arm of one run


@final
@attrs.frozen
class Tuning:
    """A search over options of arms.

    Args:
        reference: the arm that candidates are compared with.
        fidelity, copying: `(metric, name)` of the two scores.
        seed: of the run that candidates are chosen on; the recipe's own is of the run that judges them.
        samples: of each arm in the first run, or None for those of the recipe.
        search: `{arm: {key: values}}`.
    """

    reference: str
    fidelity: tuple[str, str]
    copying: tuple[str, str]
    seed: int
    samples: int | None
    search: Mapping[str, Mapping[str, Sequence[Any]]]


@final
@attrs.frozen
class Candidate:
    """One setting of an arm, which is an arm of the first run.

    Args:
        name: of that arm.
        arm: the arm of the recipe it is a setting of.
        settings: `{key: value}`.
    """

    name: str
    arm: str
    settings: Mapping[str, Any]

    @property
    def overrides(self) -> list[str]:
        """What sets it in the recipe, as `--set` would."""
        return [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in self.settings.items()]


@final
@attrs.frozen
class Judged:
    """A candidate after the first run.

    Args:
        fidelity, copying: its two scores minus those of the reference, `{view: {value, low, high}}`.
        loss: how much fidelity it loses, in the units of the score, in its worse control.
        copies: by how much it copies more than the reference, in its worse control.
        allowed: up to which loss it counts as no worse.
    """

    candidate: Candidate
    fidelity: Mapping[str, Mapping[str, Any]]
    copying: Mapping[str, Mapping[str, Any]]
    loss: float
    copies: float
    allowed: float


def read_tuning(content: Mapping[str, Any], searches: Sequence[str] = ()) -> Tuning:
    """What `[tune]` of a recipe declares, and `KEY=V1,V2` of the command line in place of its `search`.

    Raises:
        RecipeError, UnknownNameError, OptionError: something in it cannot be; the message says what.
    """
    table, arms = content.get("tune", {}), content.get("arms") or {}
    check_keys("[tune]", table, _KEYS)
    for key in ("fidelity", "copying"):
        if not isinstance(table.get(key), str) or len(table[key].split(".")) != 2:
            raise RecipeError(f'[tune] needs `{key}`, a score, as in {key} = "frechet.fd": {shown(table.get(key))}')
    reference = table.get("reference", next(iter(arms), ""))
    if reference not in arms:
        raise unknown("[tune] `reference` names no arm:", str(reference), arms)
    given = dict(_searched(search) for search in searches) or table.get("search", {})
    search = _by_arm(given, reference, arms)
    seed = check_integer("[tune] 'seed'", table.get("seed", 1000), at_least=0)
    samples = table.get("samples")
    if samples is not None:
        check_integer("[tune] 'samples'", samples, at_least=1)
    _check_seeds(content, seed)
    fidelity, copying = (tuple(table[key].split(".")) for key in ("fidelity", "copying"))
    return Tuning(reference, fidelity, copying, seed, samples, search)


def candidates(tuning: Tuning) -> list[Candidate]:
    """Every combination of the values of an arm's keys, arm by arm."""
    found = []
    for arm, keys in tuning.search.items():
        settings = [dict(zip(keys, values, strict=True)) for values in itertools.product(*keys.values())]
        found += [Candidate(f"{arm}-{i}", arm, each) for i, each in enumerate(settings, 1)]
    if len(found) > _MOST:
        raise RecipeError(f"a search must have at most {_MOST} candidates, each an arm of one run: {len(found)}")
    return found


def first_run(content: Mapping[str, Any], tuning: Tuning, some: Sequence[Candidate]) -> dict[str, Any]:
    """The recipe whose arms are the reference and the candidates, with the seed that these are chosen on.

    No more is asked of it than the two scores.
    """
    arms = {tuning.reference: _without_baseline(content["arms"][tuning.reference])}
    for each in some:
        own = overridden(content, each.overrides)["arms"][each.arm]
        if each.name in arms or each.name in content["arms"]:
            raise RecipeError(f"a candidate of arm {each.arm!r} would be named as an arm is: {each.name!r}")
        arms[each.name] = {**_without_baseline(own), "baseline": tuning.reference}
    run = {**content["run"], "seed": tuning.seed}
    if tuning.samples is not None:
        run["samples"] = tuning.samples
    asked = {metric: content["metrics"][metric] for metric, _ in (tuning.fidelity, tuning.copying)}
    kept = {key: value for key, value in _without_tune(content).items() if key != "energy"}
    return {**kept, "run": run, "metrics": asked, "arms": arms}


def second_run(content: Mapping[str, Any], chosen: Sequence[Candidate]) -> dict[str, Any]:
    """The recipe itself with the chosen settings."""
    return _without_tune(overridden(content, [override for each in chosen for override in each.overrides]))


def judged(some: Sequence[Candidate], tuning: Tuning, evidence: Mapping[str, Any]) -> list[Judged]:
    """What the evidence of the first run says of its candidates.

    In a candidate that was left noisy the worse of both controls counts, denoised against the reference and against
    the reference after the same step; in others the samples as they are.
    """
    fidelity, copying = (column_of(score, evidence["columns"]) for score in (tuning.fidelity, tuning.copying))
    found = []
    for each in some:
        scores = {score: _differences(each.name, score, evidence["differences"]) for score in (fidelity, copying)}
        scale = next(
            row["scale"]
            for row in evidence["verdicts"]
            if (row["arm"], row["metric"], row["name"]) == (each.name, *fidelity)
        )
        loss, copies = (_worst(scores[score], _worse(score, evidence["columns"])) for score in (fidelity, copying))
        found.append(Judged(each, scores[fidelity], scores[copying], loss, copies, evidence["delta"] * scale))
    return found


def chosen(all_of_them: Sequence[Judged]) -> dict[str, Judged]:
    """`{arm: Judged}`: of the settings of an arm that lose no fidelity that matters the one that copies least.

    Where all lose some, the one that loses least.
    """
    best: dict[str, Judged] = {}
    for arm in dict.fromkeys(each.candidate.arm for each in all_of_them):
        own = [each for each in all_of_them if each.candidate.arm == arm]
        good = [each for each in own if each.loss <= each.allowed]
        best[arm] = min(good, key=lambda each: each.copies) if good else min(own, key=lambda each: each.loss)
    return best


def front(all_of_them: Sequence[Judged]) -> list[Judged]:
    """Those that no other one beats in one score without losing in the other; the reference, at 0 and 0, is one too."""
    points = [(each.loss, each.copies) for each in all_of_them] + [(0.0, 0.0)]
    return [each for each in all_of_them if not any(_beats(point, (each.loss, each.copies)) for point in points)]


def column_of(score: tuple[str, str], columns: Mapping[str, Any]) -> tuple[str, str]:
    """The metric and the name that differences of a score have: those of the column it is the mean of.

    Raises:
        UnknownNameError: the run has no such score.
        RecipeError: nothing says which way it is better.
    """
    metric, name = score
    if metric not in columns:
        raise unknown("[tune]: no metric is named", metric, columns)
    names = {key: column for key, column in columns[metric].items() if name in (key, column["value"])}
    if not names:
        raise unknown(f"[tune]: metric {metric!r} has no score", name, columns[metric])
    key, column = next(iter(names.items()))
    if column["better"] not in ("higher", "lower"):
        raise RecipeError(f"[tune]: nothing says which way {metric}.{name} is better: take another score")
    return metric, key


def _worse(score: tuple[str, str], columns: Mapping[str, Any]) -> int:
    return 1 if columns[score[0]][score[1]]["better"] == "lower" else -1


def _worst(views: Mapping[str, Mapping[str, Any]], sign: int) -> float:
    kept = [view for view in views if view != PLAIN] if DENOISED in views else [PLAIN]
    return max(sign * float(views[view]["value"]) for view in kept)


def _beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def _differences(arm: str, score: tuple[str, str], rows: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    ours = [row for row in rows if (row["arm"], row["metric"], row["name"]) == (arm, *score)]
    if not ours:
        raise RecipeError(
            f"there is no difference of {'.'.join(score)} between {arm!r} and the reference: both must be asked for it "
            "with the same data and options"
        )
    return by_view(ours)


def by_view(rows: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """`{view: {value, low, high}}` of the rows of one difference."""
    return {row["view"]: {key: row[key] for key in ("value", "low", "high") if key in row} for row in rows}


def _searched(search: str) -> tuple[str, Any]:
    key, sign, values = search.partition("=")
    if not sign or not values:
        raise RecipeError(f"a search is KEY=V1,V2, as in arms.kts.schedule.beta=0.01,0.02: {shown(search)}")
    return key.strip(), parsed(f"{key}=[{values}]")[1]


def _by_arm(search: Any, reference: str, arms: Mapping[str, Any]) -> dict[str, dict[str, Sequence[Any]]]:
    if not isinstance(search, Mapping) or not search:
        raise RecipeError(
            "there is nothing to search: give --search KEY=V1,V2, or a table `[tune.search]` in the recipe, as in "
            '"arms.kts.schedule.beta" = [0.01, 0.02]'
        )
    found: dict[str, dict[str, Sequence[Any]]] = {}
    for key, values in search.items():
        path, _ = parsed(f"{key}=0")
        if len(path) < 3 or path[0] != "arms":
            raise RecipeError(f"a search is over options of arms, as arms.kts.schedule.beta: {shown(key)}")
        if path[1] not in arms:
            raise unknown("a search names no arm:", path[1], arms)
        if path[1] == reference:
            raise RecipeError(f"arm {reference!r} is what candidates are compared with: search over options of others")
        plain = isinstance(values, list) and all(isinstance(each, int | float | str) for each in values)
        if not plain or not values:
            raise RecipeError(f"a search over {key} must be a list of numbers, strings, true or false: {shown(values)}")
        found.setdefault(path[1], {})[key] = values
    return found


def _check_seeds(content: Mapping[str, Any], seed: int) -> None:
    run = content["run"]
    own, count = run.get("seed", 0), run.get("seeds", 1) * max(1, len(content.get("trainings", {})))
    if abs(own - seed) < count:
        raise RecipeError(
            f"[tune] 'seed' must be another than that of [run], or what was chosen would be judged by the noise it was "
            f"chosen on: {seed} and {own}, each with {count} run(s)"
        )


def _without_baseline(arm: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in arm.items() if key not in ("baseline", "against", "energy", "metrics")}


def _without_tune(content: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key != "tune"}
