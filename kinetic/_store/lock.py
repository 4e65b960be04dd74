"""One writer at a time in a folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from kinetic._store.files import ELSEWHERE, names_in, refused
from kinetic._store.journal import lines_in
from kinetic._store.layout import EVENTS, LOCK
from kinetic.errors import StoreError


@contextlib.contextmanager
def locked(folder: Path, writer: str = "") -> Iterator[None]:
    """Hold a folder for writing: for this process alone, or for one of several `writer`s that fill it together.

    The lock goes with the process, however that ends.

    Raises:
        StoreError: another process holds it.
    """
    name = f"{LOCK}-{writer}" if writer else LOCK
    with contextlib.ExitStack() as held:
        held.enter_context(_taken(folder, name))
        for other in names_in(folder):
            if other.startswith(LOCK) and other != name and (not writer or other == LOCK):
                lock = held.enter_context(_taken(folder, other))
                if writer:  # only seen to be free: others may fill the folder as well
                    lock.release()
        yield


@contextlib.contextmanager
def _taken(folder: Path, name: str) -> Iterator[FileLock]:
    path = folder / name
    lock = FileLock(path)
    with refused(f"{path} cannot be locked", ELSEWHERE):
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise StoreError(
                f"{folder} is being written to by another process{_holder(folder)}\n  Wait until it ends, or choose "
                "another folder with --out."
            ) from error
    try:
        yield lock
    finally:
        lock.release()


def _holder(folder: Path) -> str:
    """Who began to write last, where the folder's events say."""
    began = [line for line in lines_in(folder, EVENTS) if line.get("event") == "started"]
    return f": number {began[-1].get('process')} on {began[-1].get('host')}" if began else ""


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
