"""Files and folders, read and written whole; what the file system refuses is a `StoreError`, raised here once."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from kinetic.errors import KineticError, StoreError

AGAIN = "Delete it, and the same `kinetic run` writes it again from the finished samples."
ELSEWHERE = "Make room or give leave to write there, or choose another place."


@contextlib.contextmanager
def refused(what: str, way: str) -> Iterator[None]:
    """Errors of the file system inside become a `StoreError`: `what`, the cause, and the `way` on."""
    try:
        yield
    except KineticError:
        raise
    except (OSError, SafetensorError) as error:  # safetensors has its own for a full disk
        raise StoreError(f"{what}: {getattr(error, 'strerror', None) or error}\n  {way}") from error


def write_whole(path: Path, write: Callable[[Path], object], way: str = ELSEWHERE) -> None:
    """Have `write` fill a file beside `path`, then put it in its place: a reader sees all of it or nothing.

    Raises:
        StoreError: it cannot be written, or the disk is full; `way` is how to go on.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    with refused(f"{path} cannot be written", way):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write(unfinished)
            os.replace(unfinished, path)
        finally:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)


def write_text(path: Path, text: str, way: str = ELSEWHERE) -> None:
    """Write a text in UTF-8; bytes of a file's name that are no text are written as escapes."""
    write_whole(path, lambda part: part.write_text(text, encoding="utf-8", errors="backslashreplace"), way)


def write_json(path: Path, value: Any, way: str = ELSEWHERE) -> None:
    """Write strict JSON: no NaN, no infinity."""
    write_text(path, json.dumps(value, indent=1, allow_nan=False) + "\n", way)


def check_writable(folder: Path, way: str = ELSEWHERE) -> None:
    """Refuse a folder that files cannot be written to, or that cannot be made; nothing is left there.

    Raises:
        StoreError: it is so.
    """
    with refused(f"{folder} cannot be written to", way):
        nearest = folder
        while not os.path.lexists(nearest) and nearest.parent != nearest:
            nearest = nearest.parent
        with tempfile.TemporaryFile(dir=nearest, prefix=".kinetic-"):
            pass


def names_in(folder: Path) -> list[str]:
    """The names of what a folder holds, sorted; none where there is no folder.

    Raises:
        StoreError: it is there and cannot be listed.
    """
    with refused(f"{folder} cannot be listed", "Get leave to read it."):
        try:
            return sorted(os.listdir(folder))
        except (FileNotFoundError, NotADirectoryError):
            return []


def read_text(path: Path, way: str = AGAIN) -> str:
    """The text of a file in UTF-8, with or without a byte-order mark.

    Raises:
        StoreError: it cannot be read; `way` is how to go on.
    """
    with refused(f"{path} cannot be read", way):
        try:
            return path.read_text(encoding="utf-8-sig")
        except ValueError as error:
            raise StoreError(f"{path} cannot be read: {error}\n  {way}") from error


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        StoreError: it cannot be read.
    """
    way = "Choose another folder with --out."
    try:
        return tomllib.loads(read_text(path, way))
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path} cannot be read: {error}\n  {way}") from error


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        StoreError: it cannot be read.
    """
    try:
        return json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path} cannot be read: {error}\n  {AGAIN}") from error
