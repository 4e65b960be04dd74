"""The same tables on a terminal."""

import io

import pytest
from rich.console import Console

from kinetic._report import print_report, tables


def printed(run, width):
    out = io.StringIO()
    print_report(run, Console(file=out, width=width))
    return out.getvalue()


def test_the_terminal_says_what_the_page_says(full):
    said = printed(full, 400)
    for table in (*tables.arms(full), tables.differences_in_brief(full)):
        assert table.title in said
        for row in table.rows:
            for cell in row:
                for part in cell.split(" ["):
                    assert part in said
    assert str(full.folder / "report.html") in said


def test_names_are_not_markup(full):
    assert "[red]digits[/red]" in printed(full, 200)


@pytest.mark.parametrize("width", [80, 120, 200])
def test_a_narrow_terminal_cuts_no_number(full, width):
    said = printed(full, width)
    for row in tables.arms(full)[0].rows:
        for cell in row:
            for part in cell.split(" ["):
                assert part in said
    assert max(len(line) for line in said.splitlines() if "report.html" not in line) <= width


def test_a_table_in_pieces_says_so(full):
    assert "Energy, continued" in printed(full, 60)
    assert "continued" not in printed(full, 1000)
