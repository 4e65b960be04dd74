"""Text as it reaches a terminal, a pipe, and one that knows few letters."""

import io
import subprocess
import sys
import textwrap

import pytest
from rich.console import Console
from rich.table import Table

from kinetic._terminal import add_row, console, draw, heading, printable, say

NASTY = "a[red]b[/red][/x] :bug: \x1b]52;c;cm0=\x07\x1b[2J\r\u202e\udcff"
SHOWN = r"a[red]b[/red][/x] :bug: \x1b]52;c;cm0=\x07\x1b[2J\r\u202e\udcff"


def said(*pieces, width=80, terminal=False, **more):
    out = io.StringIO()
    say(Console(file=out, width=width, force_terminal=terminal, color_system=None), *pieces, **more)
    return out.getvalue()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (NASTY, SHOWN),
        ("two\nlines\ttab", r"two\nlines\ttab"),
        ("\x9b31m\u2028\u00ad", r"\x9b31m\u2028\xad"),
        (
            "Größe 大きさ\u3000\u00a0é \U0001f469\u200d\U0001f52c",
            "Größe 大きさ\u3000\u00a0é \U0001f469\u200d\U0001f52c",
        ),
    ],
)
def test_what_would_steer_a_terminal_is_shown_and_what_is_text_stays(text, shown):
    assert printable(text) == shown


def test_what_is_kept_stays():
    assert printable("a\nb\r", keep="\n") == "a\nb\\r"


def test_nothing_is_markup_in_lines_cells_and_heads():
    assert said(NASTY) == SHOWN + "\n"
    assert said((NASTY, "bold"), " ", (NASTY, "red")) == f"{SHOWN} {SHOWN}\n"
    out = io.StringIO()
    table = Table(title=heading(NASTY))
    table.add_column(heading(NASTY))
    add_row(table, NASTY, style="bold")
    Console(file=out, width=200).print(table)
    assert out.getvalue().count(SHOWN) == 3


def test_a_table_in_a_pipe_is_as_wide_as_its_cells_and_ends_in_no_blanks():
    out = io.StringIO()
    table = Table("a", "b", box=None)
    for cells in (("x", "y" * 300), ("x", "z")):
        add_row(table, *cells)
    draw(Console(file=out, width=1000), table)
    assert [line.split() for line in out.getvalue().splitlines()] == [["a", "b"], ["x", "y" * 300], ["x", "z"]]
    assert not any(line.endswith(" ") for line in out.getvalue().splitlines())


def test_a_pipe_cuts_no_line():
    path = "/somewhere/" + "x" * 200 + " y/" + "z" * 50
    assert said(f"report: {path}") == f"report: {path}\n"


def test_a_terminal_wraps_words_but_not_paths():
    assert said("one two three", width=8, terminal=True) == "one two \nthree\n"
    assert said("see /a/very/long/path now", width=8, terminal=True) == "see /a/very/long/path now\n"
    assert said("out: a b c d", width=8, terminal=True, whole=True) == "out: a b c d\n"


PRINT = """
    from rich.table import Table
    from kinetic._terminal import add_row, console, say

    for stderr in (False, True):
        say(console(stderr), "ρ = 1 − é")
    table = Table("ü")
    add_row(table, "ñ" * 150)
    console().print(table)
"""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", "cp1252"])
def test_letters_that_the_encoding_lacks_are_shown_as_escapes(encoding):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PRINT)],
        env={"PYTHONIOENCODING": encoding, "PATH": ""},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for stream in (done.stdout, done.stderr):
        first = stream.decode(encoding).splitlines()[0]
        assert first == "ρ = 1 − é".encode(encoding, "backslashreplace").decode(encoding)
    assert ("ñ" * 150).encode(encoding, "backslashreplace") in done.stdout  # a pipe has no width


def test_columns_say_how_wide_a_pipe_is(monkeypatch):
    console.cache_clear()
    monkeypatch.setenv("COLUMNS", "33")
    assert console().width == 33
    console.cache_clear()
