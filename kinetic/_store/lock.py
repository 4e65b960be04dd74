"""Who may write to a folder: one process alone, or several that fill it together."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from kinetic._store.files import ELSEWHERE, names_in, refused, remove
from kinetic._store.journal import lines_in
from kinetic._store.layout import EVENTS, LOCK
from kinetic.errors import StoreError

_OPENING = f"{LOCK}-opening"
_PATIENCE = 60.0  # seconds to wait while others open the folder, each in well under one


@contextlib.contextmanager
def opening(folder: Path) -> Iterator[None]:
    """Hold a folder while it is opened: one process after the other does so.

    Raises:
        StoreError: another process has been opening it for a minute.
    """
    with _taken(folder, _OPENING, _PATIENCE):
        yield


@contextlib.contextmanager
def locked(folder: Path, writer: str = "") -> Iterator[bool]:
    """Hold a folder for writing: for this process alone, or for one of several `writer`s that fill it together.

    To be entered while the folder is held by `opening`. The lock goes with the process, however that ends.

    Yields:
        Whether no other process holds the folder.
    Raises:
        StoreError: another process holds it, alone or as the same writer.
    """
    name = f"{LOCK}-{writer}" if writer else LOCK
    with _taken(folder, name):
        others = [each for each in names_in(folder) if each.startswith(LOCK) and each not in (name, _OPENING)]
        alone = True
        for other in others:
            try:
                with _taken(folder, other):  # it is free, and stays so while this process opens the folder
                    if other != LOCK:
                        remove(folder / other)
            except StoreError:
                if not writer or other == LOCK:
                    raise
                alone = False
        yield alone


@contextlib.contextmanager
def joined(folder: Path, writer: str) -> Iterator[None]:
    """Hold a folder as one of several writers, for the process that holds it alone and sent for them.

    Raises:
        StoreError: another process holds it as the same writer.
    """
    with _taken(folder, f"{LOCK}-{writer}"):
        yield


@contextlib.contextmanager
def _taken(folder: Path, name: str, patience: float = 0.0) -> Iterator[None]:
    path = folder / name
    lock = FileLock(path)
    with refused(f"{path} cannot be locked", ELSEWHERE):
        try:
            lock.acquire(timeout=patience)
        except Timeout as error:
            raise StoreError(
                f"{folder} is being written to by another process{_holder(folder)}\n  Wait until it ends, or choose "
                "another folder with --out."
            ) from error
        except NotImplementedError as error:
            raise StoreError(
                f"{path} cannot be locked: {error}\n  Choose a folder on another disk with --out."
            ) from error
    try:
        yield
    finally:
        lock.release()


def _holder(folder: Path) -> str:
    """Who began to write last, where the folder's events say."""
    began = [line for line in lines_in(folder, EVENTS) if line.get("event") == "started"]
    if not began:
        return ""
    last = max(began, key=lambda line: str(line.get("time", "")))
    return f": number {last.get('process')} on {last.get('host')}"


def is_held(folder: Path) -> bool:
    """Whether a process of this machine is writing to a folder now. One that may only be read is not held."""
    for name in names_in(folder):
        if name.startswith(LOCK):
            lock = FileLock(folder / name)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                return True
            except OSError:
                continue
            lock.release()
    return False
