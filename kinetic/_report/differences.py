"""What changes from arm to arm: in words, in brief, and in full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kinetic._report.numbers import format_aligned
from kinetic._report.tables import GUARD, Table, excludes_zero, headline, is_index
from kinetic._store.run_folder import FinishedRun

_TESTED = ("kpe", "displacement", "bending", "late", "noise_left")
_COPIES = ("memorised", "memorised_features")
_NOISE = "leftover noise only"

Row = Mapping[str, Any]


def verdict(run: FinishedRun) -> dict[str, dict[str, str]]:
    """What changed, pair of arms by pair of arms, as the evidence has it.

    Returns:
        `{"kts against plain": {"lower": "kpe -1.2 [-1.3, -1.1]; ...", ...}}`, with the keys lower, higher, leftover
        noise only and no clear difference as far as there is something to say.
    """
    said: dict[str, dict[str, str]] = {}
    for row, guard in _main(run):
        if row["name"] == "memorised_features" or row["value"] is None:
            continue
        found = said.setdefault(f"{row['arm']} against {row['against']}", {})
        label, mark = _label(row), _mark(row, guard)
        kind = {"": "no clear difference", "noise": _NOISE, "clear": "lower" if row["value"] < 0 else "higher"}[mark]
        numbers, guarded = format_aligned((row, guard))
        words = label if not mark else f"{label} {numbers}"
        if mark and guarded and guarded != numbers:
            words += f" (guard {guarded})"
        found[kind] = f"{found[kind]}; {words}" if kind in found else words
    order = ("lower", "higher", _NOISE, "no clear difference")
    return {arms: {kind: found[kind] for kind in order if kind in found} for arms, found in said.items()}


def differences_in_brief(run: FinishedRun) -> Table | None:
    """An arm a row: energies, shares of copies, set scores and one column of each other metric, guards beside them.

    The second column names the scores whose difference is leftover noise; see `_mark`.
    """
    columns: dict[str, dict[str, Row]] = {}
    guards: dict[str, dict[str, Row]] = {}
    noise: dict[str, list[str]] = {}
    for row, guard in _main(run):
        arms, label = f"{row['arm']} - {row['against']}", _label(row)
        noise.setdefault(arms, [])
        columns.setdefault(label, {})[arms] = row
        if guard is not None:
            guards.setdefault(label, {})[arms] = guard
        if _mark(row, guard) == "noise":
            noise[arms].append(label)
    if not noise:
        return None
    head, body = ["arms"], [list(noise)]
    if any(noise.values()):
        head, body = [*head, _NOISE], [*body, [", ".join(labels) for labels in noise.values()]]
    for label, found in columns.items():
        beside = guards.get(label, {})
        cells = format_aligned([*(found.get(arms) for arms in noise), *(beside.get(arms) for arms in noise)])
        head, body = [*head, label], [*body, cells[: len(noise)]]
        if beside:
            head, body = [*head, f"{label}, guard"], [*body, cells[len(noise) :]]
    caption = f"Arm minus the arm it is held against, same noise, paired by sample. {_guarded(bool(guards))}"
    caption += "One interval in twenty excludes 0 by chance."
    return Table("Differences between arms", caption, tuple(head), tuple(zip(*body, strict=True)))


def differences(run: FinishedRun) -> Table | None:
    """Every arm against the arm it is held against, with the guard beside each score that has one."""
    rows, marks = [], []
    for row, guard in _paired(run):
        if row["metric"] == "energy" and row["name"] not in _TESTED:
            continue
        rows.append((row["arm"], row["against"], _label(row), *format_aligned((row, guard))))
        marks.append(_mark(row, guard))
    if not rows:
        return None
    there = any(row[-1] for row in rows)
    caption = (
        "Arm minus the arm it is held against, same noise, paired by sample. Bold: the interval excludes 0; one in "
        f"twenty does so by chance. {_guarded(there)}"
    )
    head = ("arm", "against", "what", "difference", "guard")
    shown = len(head) if there else len(head) - 1
    return Table("Every difference", caption.strip(), head[:shown], tuple(row[:shown] for row in rows), tuple(marks))


def _paired(run: FinishedRun) -> Iterator[tuple[Row, Row | None]]:
    """Each difference with its guard, the same difference in the denoised samples, where there is one."""
    found: Sequence[Row] = run.evidence["differences"]
    guards = {
        (row["arm"], row["against"], row["metric"], row["name"]): row
        for row in found
        if row["name"].endswith("_denoised")
    }
    for row in found:
        if not row["name"].endswith("_denoised") and not is_index(row["name"]):
            yield row, guards.get((row["arm"], row["against"], row["metric"], f"{row['name']}_denoised"))


def _main(run: FinishedRun) -> list[tuple[Row, Row | None]]:
    """In order: KPE and bending, shares of copies, and of other metrics the scores of a set and a headline."""
    columns, kept = {*run.table.column_names}, {*headline(run)}
    found = []
    for row, guard in _paired(run):
        name = f"{row['metric']}.{row['name']}"
        if row["metric"] == "energy":
            shown = row["name"] in ("kpe", "bending")
        else:
            shown = row["name"] in _COPIES or name not in columns or (name in kept and row["name"] != "ratio")
        if shown:
            found.append((row, guard))
    return sorted(found, key=lambda pair: (pair[0]["metric"] != "energy", pair[0]["name"] not in _COPIES))


def _guarded(there: bool) -> str:
    if not there:
        return ""
    return (
        f"'guard' is the same after {GUARD}: a difference that its guard does not share, or has with the other sign, "
        "is leftover noise. "
    )


def _mark(row: Row, guard: Row | None) -> str:
    if not excludes_zero(row):
        return ""
    if guard is not None and not (excludes_zero(guard) and (guard["value"] > 0) == (row["value"] > 0)):
        return "noise"
    return "clear"


def _label(row: Row) -> str:
    metric, name = row["metric"], row["name"]
    if name.startswith("memorised"):  # the mean of this column is the share of copies
        name = f"f_mem{name.removeprefix('memorised')}"
        return name if metric == "memorisation" else f"{metric} {name}"
    return name if metric == "energy" or name.startswith(metric) else f"{metric} {name}"
