"""The files of a folder and of all folders inside it."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

import attrs


@attrs.frozen
class Listing:
    """What a folder holds, by paths inside it; linked folders are followed, and names that begin with a dot left out.

    Args:
        files: `{path: size in bytes}`, sorted part by part.
        again: those of them that are also there under an earlier name, by links.
        loops: linked folders that lead back to one they lie in, which are not followed.
        special: `{path: what it is}` of pipes, sockets and devices, which are never opened.
        unreachable: `{path: cause}` of folders that cannot be listed, links to nothing, and all else that is there and
            cannot be looked at; "." is the folder itself.
    """

    files: Mapping[str, int]
    again: tuple[str, ...] = ()
    loops: tuple[str, ...] = ()
    special: Mapping[str, str] = attrs.field(factory=dict)
    unreachable: Mapping[str, str] = attrs.field(factory=dict)

    @classmethod
    def of(cls, root: Path) -> Listing:
        """Of a folder. It raises nothing for what is inside."""
        entries: dict[str, os.stat_result] = {}
        special, unreachable, loops = {}, {}, []
        waiting: list[tuple[str, tuple[tuple[int, int], ...]]] = [("", ())]
        while waiting:
            folder, above = waiting.pop()
            try:
                info = os.stat(root / folder)
                if _identity(info) in above:
                    loops.append(folder)
                    continue
                names = [name for name in os.listdir(root / folder) if not name.startswith(".")]
            except OSError as error:
                unreachable[folder or "."] = _cause(error)
                continue
            for path in (f"{folder}/{name}" if folder else name for name in names):
                try:
                    entry = os.stat(root / path)
                except OSError as error:
                    unreachable[path] = _cause(error)
                    continue
                if stat.S_ISDIR(entry.st_mode):
                    waiting.append((path, (*above, _identity(info))))
                elif stat.S_ISREG(entry.st_mode):
                    entries[path] = entry
                else:
                    special[path] = "neither a file nor a folder"
        files = dict(sorted(entries.items(), key=_parts))
        return cls(
            {path: entry.st_size for path, entry in files.items()},
            _again(files),
            tuple(sorted(loops)),
            dict(sorted(special.items(), key=_parts)),
            dict(sorted(unreachable.items(), key=_parts)),
        )


def _again(files: Mapping[str, os.stat_result]) -> tuple[str, ...]:
    seen: set[tuple[int, int]] = set()
    again = []
    for path, entry in files.items():
        if _identity(entry) in seen:
            again.append(path)
        seen.add(_identity(entry))
    return tuple(again)


def _identity(info: os.stat_result) -> tuple[int, int]:
    return info.st_dev, info.st_ino


def _cause(error: OSError) -> str:
    return error.strerror or str(error)


def _parts(item: tuple[str, object]) -> list[str]:
    return item[0].split("/")
