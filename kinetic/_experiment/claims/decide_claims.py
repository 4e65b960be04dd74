"""What a run says of the claims of its recipe, as `evidence.json` holds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kinetic import evidence
from kinetic._experiment.claims.claim import Claim
from kinetic._experiment.claims.read_claims import KINDS
from kinetic._experiment.claims.results import Results
from kinetic._experiment.levels import Levels
from kinetic.errors import within


def claimed_pairs(claims: Mapping[str, Claim], levels: Levels, baselines: Mapping[str, str]) -> list[tuple[str, str]]:
    """The runs that claims compare, each with that of its baseline.

    Args:
        claims: of the recipe.
        levels: how often each arm is run.
        baselines: `{arm: arm}`, of the recipe.
    """
    pairs = dict.fromkeys(pair for claim in claims.values() for pair in claim.pairs(baselines))
    return [both for pair in pairs for both in zip(*map(levels.runs, pair), strict=True)]


def decide_claims(
    claims: Mapping[str, Claim], results: Results, declared: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """A row for each claim, in the order of the recipe.

    Each row has the `name`, the `statement` and the `kind`; the `word`; `p`, that of the claim by itself, `adjusted`,
    after Holm over all of them, and `against`, that of an effect that matters; `n` and what it is `of`, and
    `n_to_decide`; `post_hoc`, whether it was declared when the run had been finished before, as of `declared`;
    `parts`, the numbers that it was decided by.
    """
    kinds = {cls: kind for kind, cls in KINDS.items()}
    parts = {}
    for name, claim in claims.items():
        with within(f"claim {name!r}"):
            parts[name] = list(claim.parts(results))
    known = {name: evidence.joint([part.finding for part in own]) for name, own in parts.items()}
    adjusted = dict(zip(known, evidence.holm([each.p for each in known.values()]), strict=True))
    rows = []
    for name, claim in claims.items():
        n = max(part.n for part in parts[name])
        verdict = evidence.decide(known[name], n, adjusted[name])
        rows.append(
            {
                "name": name,
                "statement": claim.statement,
                "kind": kinds[type(claim)],
                "word": verdict.word,
                "p": known[name].p,
                "adjusted": adjusted[name],
                "against": known[name].against,
                "n": n,
                "of": results.of or "samples",
                "n_to_decide": verdict.n_to_decide,
                "post_hoc": bool(declared.get(name, {}).get("post_hoc", False)),
                "parts": [part.to_json() for part in parts[name]],
            }
        )
    return rows
