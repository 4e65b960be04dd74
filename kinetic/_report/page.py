"""The report as one self-contained page."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import attrs
import jinja2
from markupsafe import Markup

from kinetic._report import tables
from kinetic._report.figures import Picture, pictures
from kinetic._report.tables import Table
from kinetic._store import RECIPE, REPORT, FinishedRun, load_run, write_whole

_WORDS = ("against", "what", "score", "energy", "noise only")  # columns that are not numbers
_UNDRAWN = "Not drawn: this takes KPE or bending, and images of 1 or 3 channels or points in the plane."


@attrs.frozen
class Section:
    """A part of the page; `more` is folded away."""

    title: str
    lead: str = ""
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
    more: tuple[Table, ...] = ()


def write_report(folder: Path) -> None:
    """Write `report.html` of the finished run in `folder`. All text is escaped; nothing is asked of the network."""
    run = load_run(folder)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["b64"] = lambda data: base64.b64encode(data).decode()
    text = environment.get_template("page.html.j2").render(
        title=run.provenance["title"],
        about=run.recipe.get("about", "").strip(),
        facts=_facts(run),
        sections=_sections(run),
        notes=_notes(run),
        draw=_html,
        recipe=(folder / RECIPE).read_text(encoding="utf-8"),
        provenance=json.dumps(run.provenance, indent=1),
    )
    write_whole(folder / REPORT, lambda part: part.write_text(text, encoding="utf-8"))


def _sections(run: FinishedRun) -> list[Section]:
    drawn = pictures(run)

    def titled(*starts: str) -> tuple[Picture, ...]:
        return tuple(picture for picture in drawn if picture.title.startswith(starts))

    brief, compared = tables.differences_in_brief(run), tables.differences(run)
    by_arm = [tables.correlations(run, arm) for arm in run.arms] + [tables.groups(run, arm) for arm in run.arms]
    count = sum(run.evidence["expected_false"].values())
    lead = (
        f"Of all the correlation intervals of this run about {count:.0f} would leave out 0 by chance. Look for one "
        "sign in raw and partial, and in more than one space."
    )
    sections = [
        Section("Arms", tables=tuple(tables.arms(run))),
        Section("Differences", tables=(brief,) if brief else (), more=(compared,) if compared else ()),
        Section("Energies", pictures=titled("Power", "Energies", "Where")),
        Section("Energy and outcome", lead, (), titled("Energy and", "All"), tuple(table for table in by_arm if table)),
        Section("Samples", "" if titled("Samples") else _UNDRAWN, pictures=titled("Samples")),
        Section("Nearest training points", pictures=titled("Nearest")),
    ]
    return [each for each in sections if each.tables or each.pictures or each.more or each.lead == _UNDRAWN]


def _facts(run: FinishedRun) -> str:
    p = run.provenance
    solvers: dict[str, list[str]] = defaultdict(list)
    for arm, made in p["arms"].items():
        options = ", ".join(f"{key} {value}" for key, value in made["solver"].items() if key != "name")
        solvers[f"{made['solver']['name']} ({options})" if options else made["solver"]["name"]].append(arm)
    said = solvers if len(solvers) == 1 else [f"{name} in {', '.join(arms)}" for name, arms in solvers.items()]
    parts = [
        f"Recipe {p['recipe']}",
        f"{p['run']['samples']:,} samples in each of {len(run.arms)} arms, seed {p['run'].get('seed', 0)}",
        f"solver {'; '.join(said)}",
        f"{p['device']}, {sum(p['seconds'].values()):.0f} s" if "seconds" in p else p["device"],
        f"kinetic {p['packages'].get('kinetic-flow', '')}, torch {p['packages'].get('torch', '')}",
        p["started"],
        p["time_map"],
    ]
    return ". ".join(parts) + "."


def _notes(run: FinishedRun) -> list[tuple[str, list[str]]]:
    arms: dict[str, list[str]] = defaultdict(list)
    for arm, metrics in run.evidence["notes"].items():
        for notes in metrics.values():
            for note in notes:
                arms[note].append(arm)
    return list(arms.items())


def _html(table: Table) -> Markup:
    """A table; `Markup.format` and `Markup.join` escape every cell."""
    words = {0, *(place for place, head in enumerate(table.head) if head in _WORDS)}

    def stacked(cell: str) -> Markup | str:
        value, bracket, rest = cell.partition(" [")
        return Markup("{}<small>[{}</small>").format(value, rest) if bracket else cell

    def cells(tag: str, row: tuple[str, ...]) -> Markup:
        pairs: list[Any] = [
            (Markup(' class="word"') if i in words else "", stacked(cell)) for i, cell in enumerate(row)
        ]
        return Markup("").join(Markup(f"<{tag}{{}}>{{}}</{tag}>").format(kind, cell) for kind, cell in pairs)

    marks = table.marks or ("",) * len(table.rows)
    body = Markup("").join(
        Markup('<tr class="{}">{}</tr>').format(mark, cells("td", row))
        for mark, row in zip(marks, table.rows, strict=True)
    )
    return Markup(
        '<h3>{}</h3><p class="caption">{}</p><div class="scroll"><table><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>"
    ).format(table.title, table.caption, cells("th", table.head), body)
