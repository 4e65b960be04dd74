"""Which claims of a run were declared before its first numbers were there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kinetic._store.provenance import digest, now

CLAIMS, FIRST = "claims", "first_finished"


def declared(before: Mapping[str, Any], claims: Mapping[str, Any]) -> dict[str, Any]:
    """What `provenance.json` says of the claims of a recipe.

    Args:
        before: what it said until now; empty for a new run.
        claims: the tables, `{name: table}`.
    Returns:
        `claims`, `{name: {digest, declared, late}}`, when each was first there as it is, and whether the run had been
        finished by then; `first_finished`, when it was, once it was.
    """
    first, known = before.get(FIRST, before.get("finished")), before.get(CLAIMS, {})
    entries = {}
    for name, table in claims.items():
        entry = known.get(name, {})
        same = entry.get("digest") == digest(table)
        new = {"digest": digest(table), "declared": now(), "post_hoc": first is not None}
        entries[name] = entry if same else new
    return {CLAIMS: entries, **({} if first is None else {FIRST: first})}
