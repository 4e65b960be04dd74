"""The one way in which text reaches a terminal: as it is written, whatever it holds and whatever the terminal can show.

The page of a run takes its text through `printable` too.

No text is markup here. What steers a terminal (escape sequences, carriage returns, bidirectional overrides) is shown as
its escape, and letters that its encoding lacks as theirs. A line is wrapped on a terminal only, never in a pipe.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from functools import cache
from typing import final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kinetic.errors import OutputClosedError

Piece = str | tuple[str, str]
"""Text, or text and its style."""

_PIPE = 100_000  # columns of a pipe: enough for any line
_STEERING = ("Cc", "Cf", "Cs", "Zl", "Zp")
_JOINERS = "\u200c\u200d"  # Cf, but part of words and emoji


@cache
def console(stderr: bool = False) -> Console:
    """The terminal, or what stands for it. A pipe is as wide as what is written to it, but where `COLUMNS` says."""
    stream = sys.stderr if stderr else sys.stdout
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
    plain = _Console(stderr=stderr)
    return plain if plain.is_terminal or os.environ.get("COLUMNS") else _Console(stderr=stderr, width=_PIPE)


def write(content: bytes) -> None:
    """Write bytes to what stands for the terminal, as they are.

    Raises:
        OutputClosedError: nobody reads them.
    """
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    except BrokenPipeError as error:
        raise _closed() from error


def printable(text: object, keep: str = "") -> str:
    r"""The text with `\x1b` in place of what would steer the terminal; of that, characters in `keep` stay."""
    if isinstance(text, str) and text.isprintable():
        return text
    return "".join(letter if letter in keep or not _steers(letter) else _escape(letter) for letter in str(text))


def say(out: Console, *pieces: Piece, keep: str = "", whole: bool = False) -> None:
    """Print a line, its pieces one after the other, each in its style.

    On a terminal it is wrapped between words, but not where a word, such as a path, is wider than the terminal.

    Args:
        out: where to.
        pieces: text, or text and its style.
        keep: what stays of the characters that `printable` would show as escapes.
        whole: never wrap it, since a path with spaces may be in it.
    """
    parts = [(piece, "") if isinstance(piece, str) else piece for piece in pieces]
    line = Text.assemble(*((printable(text, keep), style) for text, style in parts))
    wider = max((len(word) for word in line.plain.split()), default=0) > out.width
    out.print(line, soft_wrap=whole or wider or not out.is_terminal)


def draw(out: Console, table: Table) -> None:
    """Print a table; in a pipe without the blanks that would fill up its lines."""
    if out.is_terminal:
        out.print(table)
        return
    with out.capture() as drawn:
        out.print(table)
    say(out, "\n".join(line.rstrip() for line in drawn.get().splitlines()), keep="\n")


def add_row(table: Table, *cells: str, style: str = "") -> None:
    """Add a row of cells, each as it is written; lines of a cell stay apart."""
    table.add_row(*(Text(printable(cell, keep="\n")) for cell in cells), style=style)


def heading(text: str, style: str = "") -> Text:
    """The head of a column or the title of a table, as it is written."""
    return Text(printable(text), style=style)


@final
class _Console(Console):
    """A terminal that says so where nobody reads it any more; rich would end the program without a word."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        raise _closed()


def _closed() -> OutputClosedError:
    return OutputClosedError("the output was closed before all of it was printed; files that were written are whole")


def _steers(letter: str) -> bool:
    return not letter.isprintable() and letter not in _JOINERS and unicodedata.category(letter) in _STEERING


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
