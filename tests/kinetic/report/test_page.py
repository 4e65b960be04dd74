"""The page holds everything, asks for nothing, and lets no name out of its text."""

import io
import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from kinetic import load_run
from kinetic._report import print_brief, print_report, write_report
from kinetic._store.files import read_json
from kinetic._store.finished_run import FinishedRun
from kinetic._store.layout import EVIDENCE, PROVENANCE, REPORT

STEERS = "\x1b]52;c;cm0=\x07\u202e"
SHOWN = r"\x1b]52;c;cm0=\x07\u202e"
STEERING = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]"

POINTS = """
    title = "points"
    [run]
    samples = 40
    [field]
    name = "gaussian"
    size = {size}
    [solver]
    name = "heun"
    steps = 4
    {energy}
    [arms.only]
"""


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.said = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.said += data

    def all(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]


def page(run):
    return Page((run.folder / REPORT).read_text(encoding="utf-8"))


def test_names_stay_text(full):
    shown = page(full)
    assert not shown.all("script")
    assert not [attributes for _, attributes in shown.tags if any(name.startswith("on") for name in attributes)]
    assert "<script>alert('$1$')</script> [red]digits[/red]" in shown.said
    assert "<img src=x onerror=alert(1)> $x^$" in shown.said
    assert all(image["src"].startswith("data:image/png;base64,") for image in shown.all("img"))


def test_notes_stay_text(full, tmp_path, rewrite):
    shutil.copytree(full.folder, tmp_path / "run")
    found = read_json(tmp_path / "run" / EVIDENCE)
    found["notes"] = {"plain": {"m": [f"<script>note</script> {STEERS}"]}}
    rewrite(tmp_path / "run", EVIDENCE, found)
    write_report(tmp_path / "run")
    shown = page(load_run(tmp_path / "run"))
    assert not shown.all("script")
    assert f"<script>note</script> {SHOWN}" in shown.said
    assert not re.search(STEERING, shown.said)


STEERED = """
    title = "{name}"
    about = "{name}"
    [run]
    samples = 30
    prompts = "{prompts}"
    [field]
    name = "digits-memorised"
    [solver]
    name = "euler"
    steps = 2
    [energy."{name}"]
    name = "kpe"
    [metrics."{name}"]
    name = "frechet"
    features = "pixels"
    [metrics."{name}".reference]
    name = "image-folder"
    path = "{folder}"
    [arms.plain]
    [arms.other.solver]
    steps = 3
"""


def test_nothing_in_a_recipe_or_its_files_steers_page_or_terminal(make, tmp_path):
    """Titles, prompts, names of metrics, energies and columns, and the names of files, in every part of both."""
    folder = tmp_path / f"images{STEERS}"
    folder.mkdir()
    for i in range(3):
        Image.fromarray(np.full((8, 8), 40 * i, np.uint8)).save(folder / f"{i}{STEERS}.png")
    (folder / f"<b>{STEERS}.txt").touch()
    (tmp_path / "prompts.txt").write_text(f"<i>one {STEERS}\n<i>two {STEERS}\n", encoding="utf-8")
    given = json.dumps(f"<u> {STEERS}").strip('"').replace('\\"', '"')
    path = json.dumps(str(folder)).strip('"')
    run = make(STEERED.format(name=given, prompts=tmp_path / "prompts.txt", folder=path))
    text = (run.folder / REPORT).read_text(encoding="utf-8")
    shown = Page(text)
    assert not re.search(STEERING, text)
    assert not [tag for tag, _ in shown.tags if tag in ("i", "u", "b")]
    for part in (f"<u> {SHOWN}", f"<i>one {SHOWN}", f"<b>{SHOWN}.txt"):
        assert part in shown.said, part
    for terminal in (True, False):
        out = io.StringIO()
        console = Console(file=out, width=300, force_terminal=terminal, color_system=None)
        print_report(run, console)
        print_brief(run, console)
        assert not re.search(STEERING, out.getvalue())
        assert f"<u> {SHOWN}" in out.getvalue()


def test_nothing_is_asked_of_the_network(full):
    shown = page(full)
    for tag, attributes in shown.tags:
        for name in ("src", "href", "srcset", "data", "action"):
            value = attributes.get(name, "#")
            assert value.startswith(("data:", "#")), (tag, value)
    policy = next(meta for meta in shown.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy["content"] == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert "url(" not in (full.folder / REPORT).read_text(encoding="utf-8")


def test_every_picture_has_words_for_it(full):
    shown = page(full)
    pictures = [image for image in shown.all("img") if image["alt"]]
    points = [box for box in shown.all("input") if box["type"] == "radio"]
    assert len(pictures) + len(shown.all("fieldset")) == len(shown.all("figcaption")) >= 8
    assert all(len(image["alt"]) > 10 for image in pictures)
    assert len(shown.all("img")) - len(pictures) == len(points) > 0
    assert all(box["aria-label"].startswith("sample ") for box in points)


def test_the_head_says_what_ran(full):
    said = page(full).said
    for part in (
        "60 samples in each of 3 arms, seed 0",
        "euler (steps 10",
        "in plain, kts",
        "heun (steps 5",
        "in other",
    ):
        assert part in said, part
    assert "Recipe small" in said


def test_the_table_of_all_arms_is_not_read_at_once(full, tmp_path, monkeypatch):
    shutil.copytree(full.folder, tmp_path / "run")
    monkeypatch.setattr(FinishedRun, "table", property(lambda run: pytest.fail("it was")))
    write_report(tmp_path / "run")
    assert page(load_run(tmp_path / "run")).said == page(full).said


def test_the_verdict_stands_before_the_tables(full):
    said = page(full).said
    verdict = said.index("kts against plain")
    assert said.index("In short") < verdict < said.index("Means over samples")


def test_how_long_and_when_are_told_for_people(full, tmp_path, rewrite):
    shutil.copytree(full.folder, tmp_path / "run")
    known = {**full.provenance, "started": "2026-11-04T23:30:00-02:00"}
    for seconds, words in ((0.2, "less than 1 s"), (65.2, "65 s"), (600.0, "10 min")):
        rewrite(tmp_path / "run", PROVENANCE, {**known, "seconds": {"plain": seconds}})
        write_report(tmp_path / "run")
        assert f"On cpu, {words}, 5 November 2026, 01:30 UTC." in page(load_run(tmp_path / "run")).said


def test_a_solver_inside_a_solver_is_told_in_words(make):
    run = make("""
        [run]
        samples = 8
        [field]
        name = "gaussian"
        [solver]
        name = "doubled"
        solver = { name = "euler", steps = 4 }
    """)
    assert "Solver doubled (solver euler (steps 4, grid uniform), every 2)." in page(run).said


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        ('"cosine"', "cosine"),
        ('{ name = "shifted", shift = 2 }', "shifted (shift 2.0)"),
        ('{ name = "given", times = [0, 0.1, 0.2, 0.5, 1] }', "given (times [0, 0.1, ..., 1])"),
    ],
)
def test_the_grid_of_a_solver_is_told_in_words(make, grid, words):
    run = make(f"""
        [run]
        samples = 8
        [field]
        name = "gaussian"
        [solver]
        name = "euler"
        steps = 4
        grid = {grid}
    """)
    assert f"Solver euler (steps 4, grid {words})." in page(run).said


def test_hashes_and_recipe_are_there(full):
    said = page(full).said
    hashes = [value for arm in full.provenance["weights"].values() for value in arm.values()]
    assert hashes
    assert all(value in said for value in hashes)
    assert "digits-memorised" in said


def test_the_same_run_gives_the_same_page(full, tmp_path):
    shutil.copytree(full.folder, tmp_path / "run")
    write_report(tmp_path / "run")
    assert (tmp_path / "run" / REPORT).read_bytes() == (full.folder / REPORT).read_bytes()


@pytest.mark.parametrize(
    ("size", "energy", "drawn"),
    [(2, "[energy.kpe]", True), (5, "[energy.kpe]", False), (2, "", False)],
)
def test_what_cannot_be_drawn_is_said(make, size, energy, drawn):
    shown = page(make(POINTS.format(size=size, energy=energy)))
    assert ("Not drawn" not in shown.said) == drawn
    assert any("Samples" in image["alt"] for image in shown.all("img")) == drawn


def test_colour_images_are_drawn(make, tmp_path):
    np.save(tmp_path / "points.npy", np.random.default_rng(0).uniform(-1, 1, (30, 3, 4, 5)).astype(np.float32))
    recipe = POINTS.format(size=2, energy="[energy.kpe]").replace("size = 2", "").replace("gaussian", "empirical")
    run = make(f"{recipe}\n    [data]\n    name = 'tensor-file'\n    path = '{tmp_path}/points.npy'\n")
    assert {image["alt"] for image in page(run).all("img")} >= {"Samples of only ordered by energy."}


def test_one_arm_without_metrics_makes_a_page_without_empty_sections(make):
    shown = page(make(POINTS.format(size=5, energy="[energy.kpe]")))
    links = [link["href"] for link in shown.all("a")]
    headings = [heading["id"] for heading in shown.all("h2")]
    assert links == [f"#{name}" for name in headings]
    for absent in ("In short", "Differences", "Energy and outcome", "Nearest training points"):
        assert absent not in shown.said


def test_columns_that_only_some_arms_have_are_left_blank_in_the_others(make):
    run = make("""
        title = "uneven"
        [run]
        samples = 20
        [field]
        name = "gaussian"
        size = 3
        [solver]
        name = "euler"
        steps = 4
        [arms.bare]
        [arms.weighed.energy.kpe]
        [arms.profiled.energy.power]
    """)
    assert {image["alt"] for image in page(run).all("img")} >= {"Power against time for profiled."}


def test_titles_of_columns_say_what_they_are(full):
    text = (full.folder / REPORT).read_text(encoding="utf-8")
    for name in ("kpe", "bending"):
        says = full.evidence["columns"]["energy"][name]["says"]
        assert f">{name}<small>{says}</small></th>" in text


def test_what_changed_is_said_in_words_and_then_in_numbers_with_reasons(full):
    said = page(full).said
    brief, whole = said.index("kts against plain"), said.rindex("kts against plain")
    folded = said.index("In numbers, with reasons")
    assert brief < folded < whole
    assert "[" not in said[brief:folded]
    assert "kpe" in said[brief:folded]
    assert "[" in said[folded : whole + 200]


def test_what_shows_a_sample_by_pointing_at_it_takes_no_script(full):
    shown = page(full)
    assert len(shown.all("fieldset")) >= 1
    assert not shown.all("script")
    names = {box["name"] for box in shown.all("input")}
    assert len(names) == len(shown.all("fieldset"))
