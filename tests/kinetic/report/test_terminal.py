"""The same tables on a terminal."""

import io

import pytest
from rich.console import Console

from kinetic import Score, SetScores
from kinetic._report import print_brief, print_report, print_scores, tables
from kinetic._report.differences import differences, differences_in_brief, verdict
from kinetic.evidence import Estimate


def printed(run, width, show=print_report):
    out = io.StringIO()
    show(run, Console(file=out, width=width, force_terminal=True, color_system=None))
    return out.getvalue()


def test_the_terminal_says_what_the_page_says(full):
    said = printed(full, 400)
    of_arms = [table for arm in full.arms for table in (tables.correlations(full, arm), tables.groups(full, arm))]
    shown = (*tables.energies(full), *tables.scores(full), differences_in_brief(full), differences(full), *of_arms)
    for table in filter(None, shown):
        assert table.title in said
        for row in table.rows:
            for cell in row:
                for part in cell.split(" ["):
                    assert part in said
    assert str(full.folder / "report.html") in said


def test_scores_of_samples_are_said_with_their_notes():
    estimate = Estimate(0.5, 0.25, 0.75)
    score = Score({"share": estimate, "left": Estimate(3.0)}, notes=("Mind [this].",))
    out = io.StringIO()
    print_scores(SetScores(7, {"m": score}, notes=("[0, 1]?",)), "a[b].npy", Console(file=out, width=100))
    said = out.getvalue()
    for part in ("a[b].npy: 7 samples", "share", "[0.25, 0.75]", "left", "m: Mind [this].", "[0, 1]?"):
        assert part in said


def test_names_are_not_markup(full):
    assert "[red]digits[/red]" in printed(full, 200)


@pytest.mark.parametrize("width", [80, 120, 200])
def test_a_narrow_terminal_cuts_no_number(full, width):
    said = printed(full, width)
    for row in tables.energies(full)[0].rows:
        for cell in row:
            for part in cell.split(" ["):
                assert part in said
    assert max(len(line) for line in said.splitlines() if str(full.folder) not in line) <= width


def test_a_table_in_pieces_says_so(full):
    assert "Energy, continued" in printed(full, 60)
    assert "continued" not in printed(full, 1000)


def test_after_a_run_energies_and_what_changed_are_said_and_where_the_rest_is(full):
    said = printed(full, 400, print_brief)
    for row in tables.energies(full)[0].rows:
        shown = dict(zip(tables.energies(full)[0].head, row, strict=True))
        assert all(part in said for name in ("arm", "kpe", "bending") for part in shown[name].split(" ["))
    assert "early" not in said
    for arms, found in verdict(full).items():
        assert arms in said
        flat = " ".join(said.split())
        assert all(" ".join(f"{kind}: {words}".split()) in flat for kind, words in found.items())
    for rest in ("report.html", "evidence.json"):
        assert str(full.folder / rest) in said
    assert f"kinetic report {full.folder}" in said


def test_after_a_run_little_is_said(full):
    assert len(printed(full, 80, print_brief).splitlines()) < 60
