"""The table `[claims]` of a recipe, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from kinetic._experiment.claims.claim import Claim
from kinetic._experiment.claims.correlation import CorrelationClaim
from kinetic._experiment.claims.difference import DifferenceClaim
from kinetic._experiment.claims.known import Known
from kinetic._experiment.claims.optimum import OptimumClaim
from kinetic._experiment.claims.threshold import ThresholdClaim
from kinetic._experiment.names import check_apart, check_name
from kinetic.errors import OptionError, RecipeError, shown, unknown, within

KINDS: Mapping[str, type[Claim]] = {
    "correlation": CorrelationClaim,
    "difference": DifferenceClaim,
    "optimum": OptimumClaim,
    "threshold": ThresholdClaim,
}
"""The kinds of claims, by their key."""


def read_claims(tables: Any, known: Known) -> dict[str, Claim]:
    """The claims of a recipe, each checked.

    Args:
        tables: `{name: table}`, in the order of the recipe.
        known: what claims can be made about.
    Raises:
        RecipeError, UnknownNameError, OptionError: one cannot be; the message says what.
    """
    if not isinstance(tables, Mapping):
        raise RecipeError(f"[claims] must be a table: {shown(tables)}")
    check_apart(tables, "claims")
    claims = {}
    for name, table in tables.items():
        check_name(name, "a claim")
        with within(f"claim {name!r}"):
            claims[name] = _claim(table)
            claims[name].check(known)
    return claims


def _claim(table: Any) -> Claim:
    if not isinstance(table, Mapping):
        raise RecipeError(f"it must be a table: {shown(table)}")
    kind = table.get("kind")
    if not isinstance(kind, str):
        raise OptionError(f"it needs a `kind`, one of: {', '.join(KINDS)}")
    if kind not in KINDS:
        raise unknown("there is no kind", kind, KINDS)
    fields = {field.name: field for field in attrs.fields(KINDS[kind])}
    given = {key: value for key, value in table.items() if key != "kind"}
    for key in given:
        if key not in fields:
            raise unknown(f"a claim of the kind {kind!r} has no key", key, [*fields, "kind"])
    for name, field in fields.items():
        if field.default is attrs.NOTHING and name not in given:
            raise OptionError(f"a claim of the kind {kind!r} needs the key {name!r}")
    return KINDS[kind](**given)
