"""What was written to a run folder, file by file, with the SHA-256 of each."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, final

import attrs

from kinetic._store import journal
from kinetic._store.files import AGAIN, names_in, refused, remove, write_text, write_whole
from kinetic._store.layout import MANIFEST, journal_name, journal_names
from kinetic.errors import StoreError


@final
@attrs.frozen
class Entry:
    """One file: its SHA-256, its size in bytes, and the digest of what made it where that is not the recipe alone."""

    sha256: str
    bytes: int
    made: str = ""


@final
@attrs.define(eq=False)
class Manifest:
    """The files of a run folder that were written whole, as `manifest.jsonl` lists them, a line each.

    A process that fills the folder beside others has a file of its own, `manifest.WRITER.jsonl`.
    """

    folder: Path
    entries: dict[str, Entry]
    writer: str = ""
    _checked: dict[str, tuple[int, int, int]] = attrs.field(factory=dict)
    _folder_was: tuple[int, int] | None = attrs.field(init=False)

    @_folder_was.default
    def _at_first(self) -> tuple[int, int] | None:
        return _which(self.folder)

    @classmethod
    def read(cls, folder: Path, writer: str = "") -> Manifest:
        """That of a folder; an empty one where there is none.

        Raises:
            StoreError: it cannot be read.
        """
        return cls(folder, _entries(folder), writer)

    def refresh(self) -> None:
        """Take up what other processes wrote since."""
        self.entries = _entries(self.folder)

    def write(self, name: str, write: Callable[[Path], object], made: str = "") -> None:
        """Have `write` fill a file, put it into the folder whole, and list it.

        Raises:
            StoreError: it cannot be written, the disk is full, or the folder is no longer the one that it was.
        """
        self.check_folder()
        entries: list[Entry] = []

        def filled(part: Path) -> None:
            write(part)
            entries.append(Entry(digest_of(part), part.stat().st_size, made))

        write_whole(self.folder / name, filled, within=self.folder)
        self._add(name, entries[0])

    def forget(self, name: str) -> None:
        """Take a file out of the folder, and off the list."""
        self.check_folder()
        journal.append(self._journal, {"file": name, "gone": True})
        self.entries.pop(name, None)
        remove(self.folder / name)

    def check(self, name: str, way: str = AGAIN) -> Path:
        """The path of a file, which is the one that was written.

        Raises:
            StoreError: it is not listed, not there, or another; `way` is how to go on.
        """
        path, entry = self.folder / name, self.entries.get(name)
        if entry is None:
            raise StoreError(f"{path} is not among the files that {self._journal.name} lists as written\n  {way}")
        with refused(f"{path} cannot be read", way):
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise StoreError(f"{path} cannot be read: it is no file\n  {way}")
            seen = status.st_size, status.st_mtime_ns, status.st_ino
            if self._checked.get(name) != seen:
                if status.st_size != entry.bytes or digest_of(path) != entry.sha256:
                    raise StoreError(
                        f"{path} is not what was written: its SHA-256 is not that of {self._journal.name}\n  {way}"
                    )
                self._checked[name] = seen
        return path

    def check_folder(self) -> None:
        """Refuse to go on in another folder than at first: nothing is to be made anew where one was taken away.

        Raises:
            StoreError: it was deleted, renamed or replaced.
        """
        if _which(self.folder) != self._folder_was:
            raise StoreError(
                f"{self.folder} was deleted, renamed or replaced while it was written to\n  The same command begins "
                "anew; in a renamed folder it goes on, with --out."
            )

    def compact(self) -> None:
        """Bring the lists of all processes into one file; for the process that alone writes to the folder."""
        lines = [journal.as_line(_as_line(name, entry)) for name, entry in self.entries.items()]
        own = journal_name(MANIFEST)
        others = [name for name in journal_names(MANIFEST, names_in(self.folder)) if name != own]
        if others:
            write_text(self.folder / own, "".join(lines))
            for name in others:
                remove(self.folder / name)

    @property
    def _journal(self) -> Path:
        return self.folder / journal_name(MANIFEST, self.writer)

    def _add(self, name: str, entry: Entry) -> None:
        journal.append(self._journal, _as_line(name, entry))
        self.entries[name] = entry
        self._checked.pop(name, None)


def _which(folder: Path) -> tuple[int, int] | None:
    """What tells a folder from another of the same name."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _as_line(name: str, entry: Entry) -> dict[str, Any]:
    made = {"made": entry.made} if entry.made else {}
    return {"file": name, "sha256": entry.sha256, "bytes": entry.bytes, **made}


def _entries(folder: Path) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for line in journal.lines_in(folder, MANIFEST):
        _enter(entries, line)
    return entries


def _enter(entries: dict[str, Entry], line: Mapping[str, Any]) -> None:
    name, sha256, size, made = (line.get(key, "") for key in ("file", "sha256", "bytes", "made"))
    if not isinstance(name, str) or not _is_inside(name):
        return
    if line.get("gone") is True:
        entries.pop(name, None)
    elif isinstance(sha256, str) and isinstance(size, int) and isinstance(made, str):
        entries[name] = Entry(sha256, size, made)


def _is_inside(name: str) -> bool:
    """Whether a name leads to a file in the folder, and to no other."""
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and name.isprintable()
