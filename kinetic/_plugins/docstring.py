"""What a component's docstring says, as a terminal of any width can print it."""

from __future__ import annotations

import inspect
import re

_HEAD = re.compile(r"[A-Z]\w+:(\s|$)|- ")  # a line that begins something of its own
_ENTRY = re.compile(r" {4}(\w+(?:, \w+)*): (.*)")


def prose(cls: type) -> str:
    """The docstring without its `Args:`, each paragraph in one line; indented lines, such as formulas, stay."""
    lines: list[str] = []
    for line in _without_args(cls)[0]:
        before = lines[-1] if lines else ""
        if before and line and not before.startswith(" ") and not line.startswith(" ") and not _HEAD.match(line):
            lines[-1] = f"{before} {line}"
        elif line or before:
            lines.append(line)
    return "\n".join(lines).strip()


def arguments(cls: type) -> dict[str, str]:
    """What `Args:` says of each option."""
    texts: dict[str, str] = {}
    names: list[str] = []
    for line in _without_args(cls)[1]:
        entry = _ENTRY.fullmatch(line)
        if entry:
            names = entry[1].split(", ")
            texts |= dict.fromkeys(names, entry[2])
        else:
            texts |= {name: f"{texts[name]} {line.strip()}" for name in names}
    return texts


def _without_args(cls: type) -> tuple[list[str], list[str]]:
    """The lines of the docstring, and those that stood below `Args:`."""
    kept: list[str] = []
    taken: list[str] = []
    inside = False
    for line in (inspect.getdoc(cls) or "").splitlines():
        inside = line == "Args:" or (inside and line.startswith(" "))
        if line != "Args:":
            (taken if inside else kept).append(line)
    return kept, taken
