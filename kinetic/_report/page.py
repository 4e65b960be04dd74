"""The report as one self-contained page."""

from __future__ import annotations

import base64
import datetime
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import jinja2
from markupsafe import Markup

from kinetic._report import claims, over_runs, tables
from kinetic._report.canvas import Picture
from kinetic._report.chosen import drawn_columns
from kinetic._report.differences import differences, differences_in_brief, verdict
from kinetic._report.explore import Explorer, explorer
from kinetic._report.figures import pictures
from kinetic._report.floors import floors
from kinetic._report.forest import forest
from kinetic._report.numbers import typeset
from kinetic._report.prompts import prompts
from kinetic._report.tables import Table
from kinetic._store.files import read_text
from kinetic._store.finished_run import FinishedRun, load_run
from kinetic._store.layout import RECIPE, REPORT
from kinetic._terminal import printable
from kinetic.evidence import ONE_TRAINING

_NUMBER = re.compile(r"-?\d|$")  # how a cell of a column of numbers begins, or it is empty
_UNDRAWN = "Not drawn: this takes an energy, and images of 1 or 3 channels or points in the plane."
_EXPLORED = 3  # arms whose samples can be pointed at
_LISTED = 4  # how long a list among the options of a component is spelt out


@attrs.frozen
class Section:
    """A part of the page; `words` are said line by line, each after a name, `reasons` and `more` are folded away."""

    title: str
    lead: str = ""
    words: tuple[tuple[str, str], ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
    explorers: tuple[Explorer, ...] = ()
    reasons: tuple[tuple[str, str], ...] = ()
    more: tuple[Table, ...] = ()


def write_report(folder: Path) -> None:
    """Write `report.html` of the finished run in `folder`. All text is escaped; nothing is asked of the network.

    What would turn lines around or steer a terminal that the page is printed on is shown as its escape.
    """
    run = load_run(folder)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
    )
    environment.filters["b64"] = lambda data: base64.b64encode(data).decode()
    environment.filters["typeset"] = typeset
    text = environment.get_template("page.html.j2").render(
        title=run.provenance["title"],
        about=str(run.recipe.get("about", "")).strip(),
        facts=_facts(run),
        sections=_sections(run),
        notes=_notes(run),
        draw=_html,
        recipe=read_text(run.manifest.check(RECIPE)),
        provenance=json.dumps(run.provenance, indent=1),
    )
    run.manifest.write(REPORT, lambda part: part.write_text(text, encoding="utf-8", errors="backslashreplace"))


def _sections(run: FinishedRun) -> list[Section]:
    drawn = pictures(run)

    def titled(*words: str) -> tuple[Picture, ...]:
        return tuple(picture for picture in drawn if any(word in picture.title for word in words))

    brief, compared, floor = differences_in_brief(run), differences(run), floors(run)
    by_arm = [tables.correlations(run, arm) for arm in run.drawn] + [tables.groups(run, arm) for arm in run.drawn]
    told = _told(verdict(run, brief=True))
    if once := over_runs.trained_once(run):
        told += ((", ".join(once), f"{ONE_TRAINING}.".capitalize()),)
    over, together = over_runs.scores(run), over_runs.correlations(run)
    single = f"Pictures and tables of single arms are of the first run of each: {', '.join(run.drawn)}." if over else ""
    sections = [
        Section("Claims", claims.lead(run), claims.verdicts(run)),
        Section(
            "In short",
            f"{claims.EXPLORATORY} {_changed(run)}" if told else "",
            told,
            pictures=tuple(filter(None, [forest(run)])),
            reasons=_told(verdict(run)),
        ),
        Section("Over runs", single, tables=tuple(over), more=(together,) if together else ()),
        Section(
            "Energy and outcome",
            _by_chance(run),
            pictures=titled("Energy and outcome", "All correlations"),
            explorers=_explorers(run),
            more=tuple(table for table in by_arm if table),
        ),
        Section(
            "Samples",
            "" if titled("Samples by energy") else _UNDRAWN,
            pictures=titled("Samples by energy"),
            more=tuple(table for table in (prompts(run, arm) for arm in run.drawn) if table),
        ),
        Section("Nearest training points", pictures=titled("Nearest training points")),
        Section("Energies", pictures=titled("against time", "Distribution", "Where the variance")),
        Section("Arms", more=(*tables.energies(run), *tables.scores(run), *filter(None, (floor,)))),
        Section("Differences", more=tuple(filter(None, (brief, compared)))),
    ]
    return [
        each for each in sections if each.lead == _UNDRAWN or any((each.words, each.tables, each.pictures, each.more))
    ]


def _by_chance(run: FinishedRun) -> str:
    counts = [run.evidence["multiplicity"][arm] for arm in run.drawn]
    shown, mean = (sum(count[key] for count in counts) for key in ("shown", "mean"))
    worst = max((count["high"] for count in counts), default=0)
    return (
        f"Of the {shown:.0f} intervals of correlations and fifths shown here about {mean:.0f} would exclude 0 by "
        f"chance; since columns are near copies of each other, in one arm as many as {worst:.0f} do in one of twenty "
        "permutations. Look for one sign in all columns, and in more than one space."
    )


def _told(verdicts: Mapping[str, Mapping[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (arms, " ".join(f"{kind.capitalize()}: {words}." for kind, words in found.items()))
        for arms, found in verdicts.items()
    )


def _explorers(run: FinishedRun) -> tuple[Explorer, ...]:
    plain = [arm for arm in run.drawn if not run.shaped(arm)] or run.drawn
    made = (explorer(run, arm, drawn_columns(run, arm)) for arm in plain[:_EXPLORED])
    return tuple(each for each in made if each is not None)


def _changed(run: FinishedRun) -> str:
    paired = f"intervals over {over_runs.count(run)}" if run.runs else "paired by sample"
    return f"Arm against arm, same noise, {paired}; 95% intervals, one in twenty of which excludes 0 by chance."


def _facts(run: FinishedRun) -> str:
    p = run.provenance
    solvers: dict[str, list[str]] = defaultdict(list)
    for arm, made in p["arms"].items():
        solvers[_component(made["solver"])].append(arm)
    said = solvers if len(solvers) == 1 else [f"{name} in {', '.join(arms)}" for name, arms in solvers.items()]
    parts = [
        f"Recipe {p['recipe']}",
        f"{p['run']['samples']:,} samples in each of {_counted(run)}, {_seeds(p)}",
        f"Solver {'; '.join(said)}",
        f"On {p['device']}, {_lasted(sum(p['seconds'].values()))}, {_day(p['started'])}",
        f"kinetic {p['packages'].get('kinetic-flow', '')}, torch {p['packages'].get('torch', '')}",
        p["time_map"],
    ]
    return ". ".join(parts) + "."


def _counted(run: FinishedRun) -> str:
    """`12 runs of 2 arms`."""
    return f"{len(run.arms)} runs of {len(run.runs)} arms" if run.runs else f"{len(run.arms)} arms"


def _seeds(provenance: Mapping[str, Any]) -> str:
    first = provenance["run"].get("seed", 0)
    last = max((each["seed"] for each in provenance.get("runs", {}).values()), default=first)
    return f"seed {first}" if last == first else f"seeds {first} to {last}"


def _component(made: Any) -> str:
    """`doubled (solver euler (steps 50, grid uniform), every 2)`; of long lists the ends, of None nothing."""
    if isinstance(made, list) and len(made) > _LISTED:
        return f"[{made[0]}, {made[1]}, ..., {made[-1]}]"
    if not isinstance(made, dict):
        return str(made)
    options = ", ".join(
        f"{key} {_component(value)}" for key, value in made.items() if key != "name" and value is not None
    )
    return f"{made['name']} ({options})" if options else str(made["name"])


def _lasted(seconds: float) -> str:
    if seconds < 1:
        return "less than 1 s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _day(started: str) -> str:
    """`24 November 2026, 03:54 UTC`."""
    when = datetime.datetime.fromisoformat(started).astimezone(datetime.UTC)
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def _notes(run: FinishedRun) -> list[tuple[str, list[str]]]:
    arms: dict[str, list[str]] = defaultdict(list)
    for arm, metrics in run.evidence["notes"].items():
        for notes in metrics.values():
            for note in notes:
                arms[note].append(arm)
    return list(arms.items())


def _shown(value: object) -> object:
    """Text as the page shows it; what is markup already was made of such text."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else printable(value, keep="\n\t")


def _html(table: Table) -> Markup:
    """A table; `Markup.format` and `Markup.join` escape every cell."""
    columns = enumerate(zip(*table.rows, strict=True))
    words = {0, *(i for i, column in columns if not all(map(_NUMBER.match, column)))}

    def stacked(cell: str) -> Markup | str:
        value, bracket, rest = typeset(printable(cell)).partition(" [")
        return Markup("{}<small>[{}</small>").format(value, rest) if bracket else value

    def cells(row: tuple[str, ...]) -> Markup:
        return Markup("").join(Markup("<td{}>{}</td>").format(kind(i), stacked(cell)) for i, cell in enumerate(row))

    def kind(i: int) -> Markup:
        return Markup(' class="word"') if i in words else Markup("")

    def titled(i: int) -> Markup:
        says = typeset(printable(table.says[i])) if i < len(table.says) else ""
        small = Markup("<small>{}</small>").format(says) if says else ""
        return Markup('<th scope="col"{}>{}{}</th>').format(kind(i), typeset(printable(table.head[i])), small)

    marks = table.marks or ("",) * len(table.rows)
    body = Markup("").join(
        Markup('<tr class="{}">{}</tr>').format(mark, cells(row)) for mark, row in zip(marks, table.rows, strict=True)
    )
    caption = Markup('<p class="caption">{}</p>').format(printable(table.caption)) if table.caption else ""
    return Markup(
        '<div class="table"><h3>{}</h3>{}<div class="scroll"><table><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div></div>"
    ).format(printable(table.title), caption, Markup("").join(map(titled, range(len(table.head)))), body)
