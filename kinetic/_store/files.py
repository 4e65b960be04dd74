"""Files and folders, read and written whole; what the file system refuses is a `StoreError`, raised here once."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from kinetic.errors import KineticError, StoreError

AGAIN = "Delete it, and the same `kinetic run` writes it again from the finished samples."
ELSEWHERE = "Make room or give leave to write there, or choose another place."
_IN_THE_WAY = (
    "A folder stands where a file is to be, or a file where a folder is: move it away, or choose another place."
)

PART = ".part"
"""How the name of an unfinished file ends."""


@contextlib.contextmanager
def refused(what: str, way: str) -> Iterator[None]:
    """Errors of the file system inside become a `StoreError`: `what`, the cause, and the `way` on."""
    try:
        yield
    except KineticError:
        raise
    except (OSError, SafetensorError) as error:  # safetensors has its own for a full disk
        if way == ELSEWHERE and isinstance(error, IsADirectoryError | NotADirectoryError | FileExistsError):
            way = _IN_THE_WAY
        raise StoreError(f"{what}: {getattr(error, 'strerror', None) or error}\n  {way}") from error


def write_whole(path: Path, write: Callable[[Path], object], way: str = ELSEWHERE, within: Path | None = None) -> None:
    """Have `write` fill a file beside `path`, then put it in its place: a reader sees all of it or nothing.

    It is on the disk when this returns. Folders on the way to it are made; those up to `within` must be there.

    Raises:
        StoreError: it cannot be written, or the disk is full; `way` is how to go on.
    """
    with refused(f"{path} cannot be written", way):
        _make_way(path.parent, within)
        handle, name = tempfile.mkstemp(PART, f".{path.name}.", path.parent)
        os.close(handle)
        unfinished = Path(name)
        try:
            write(unfinished)
            unfinished.chmod(0o666 & ~_umask())  # a temporary file is its owner's alone
            _sync(unfinished)
            os.replace(unfinished, path)
            _sync(path.parent)
        finally:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove the unfinished files that a crash left anywhere in a folder."""
    with contextlib.suppress(OSError):
        for path in folder.rglob(f".*{PART}"):
            path.unlink(missing_ok=True)


def remove(path: Path) -> None:
    """Remove a file, if it is there.

    Raises:
        StoreError: it cannot be.
    """
    with refused(f"{path} cannot be removed", ELSEWHERE):
        path.unlink(missing_ok=True)


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


def read_bytes(path: Path, way: str = AGAIN) -> bytes:
    """The content of a file.

    Raises:
        StoreError: it cannot be read, or is no file; `way` is how to go on.
    """
    with refused(f"{path} cannot be read", way):
        if not stat.S_ISREG(path.stat().st_mode):
            raise StoreError(f"{path} cannot be read: it is no file\n  {way}")
        return path.read_bytes()


def read_text(path: Path, way: str = AGAIN) -> str:
    """The text of a file in UTF-8, with or without a byte-order mark.

    Raises:
        StoreError: it cannot be read; `way` is how to go on.
    """
    try:
        return read_bytes(path, way).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StoreError(f"{path} cannot be read: {error}\n  {way}") from error


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        StoreError: it cannot be read.
    """
    try:
        return tomllib.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path} cannot be read: {error}\n  {AGAIN}") from error


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        StoreError: it cannot be read.
    """
    try:
        return json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path} cannot be read: {error}\n  {AGAIN}") from error


def _make_way(folder: Path, within: Path | None) -> None:
    if within is None:
        folder.mkdir(parents=True, exist_ok=True)
    elif folder != within:
        _make_way(folder.parent, within)
        folder.mkdir(exist_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
