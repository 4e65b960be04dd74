"""Files of lines of JSON that are only ever appended to: what a crash tears is the last line, and that is left out."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kinetic._store.files import ELSEWHERE, names_in, read_bytes, refused
from kinetic._store.layout import journal_names
from kinetic.errors import StoreError


def append(path: Path, line: Mapping[str, Any]) -> None:
    """Add a line, on the disk when this returns. One process at a time appends to a file.

    Raises:
        StoreError: it cannot be written, or the disk is full.
    """
    data = as_line(line).encode()
    with refused(f"{path} cannot be written", ELSEWHERE):
        if path.is_symlink():  # what it leads to may lie outside of the folder
            raise StoreError(f"{path} cannot be written: it is a link\n  Put the file itself in its place.")
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        try:
            torn = os.lseek(file, 0, os.SEEK_END) > 0 and _last_byte(file) != b"\n"
            whole = b"\n" + data if torn else data
            if os.write(file, whole) < len(whole):
                raise OSError("the disk is full")
            os.fsync(file)
        finally:
            os.close(file)


def as_line(value: Mapping[str, Any]) -> str:
    """A line as such files have it."""
    return json.dumps(value, allow_nan=False) + "\n"


def lines_in(folder: Path, kind: str) -> Iterator[dict[str, Any]]:
    """The lines that all processes appended to their files of one kind."""
    for name in journal_names(kind, names_in(folder)):
        yield from read(folder / name)


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The lines, without those that are torn.

    Raises:
        StoreError: the file cannot be read.
    """
    for line in read_bytes(path).splitlines():
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            yield value


def _last_byte(file: int) -> bytes:
    os.lseek(file, -1, os.SEEK_END)
    return os.read(file, 1)
