"""Prompts of a recipe: a text file, one a line."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import attrs

from kinetic.errors import RecipeError, shown
from kinetic.options import existing_path

LONGEST = 4000
"""Characters of a prompt; text encoders read 77 to 512 tokens."""
LARGEST = 2**26
"""Bytes of a file of prompts."""
_REMEDY = 'Paths are relative to where you run kinetic: prompts = "PATH" under [run], one prompt a line.'


@final
@attrs.frozen
class Prompts:
    """The prompts of a file, in its order: sample i is asked for prompt i mod their number.

    Args:
        path: of the file.
        content: its bytes.
        texts: the prompts; blanks at the ends of a line are no part of one.
    """

    path: Path
    content: bytes = attrs.field(repr=False)
    texts: tuple[str, ...] = attrs.field(repr=False)

    @property
    def sha256(self) -> str:
        """Of the file, as `sha256sum` prints it."""
        return hashlib.sha256(self.content).hexdigest()


def prompts_of(run: Mapping[str, Any]) -> Prompts | None:
    """The prompts that `[run]` names, or None.

    Raises:
        RecipeError: it names classes too; what `read_prompts` raises.
    """
    if {"classes", "prompts"} <= run.keys():
        raise RecipeError(
            "[run] gives both `classes` and `prompts`: a sample is asked for one of either\n  Leave one out; a prompt "
            "is the class of its samples."
        )
    return read_prompts(run["prompts"]) if "prompts" in run else None


def read_prompts(location: object) -> Prompts:
    """Read and check a file of prompts: UTF-8, one a line. Blank lines are skipped; there are no comments.

    Args:
        location: the path, or `package:NAME/REST`.
    Raises:
        MissingFileError: there is no such file.
        RecipeError: it cannot be read, is too large, no UTF-8 or without prompts; a line is too long or there twice.
    """
    if not isinstance(location, str):
        raise RecipeError(f"[run] 'prompts' must be the path of a text file, one prompt a line: {shown(location)}")
    path = existing_path(location, what="prompts", remedy=_REMEDY)
    content = _read(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise RecipeError(
            f"prompts: line {number} of {str(path)!r} is not UTF-8: {error.reason} at byte {error.start}\n"
            "  Save it as UTF-8."
        ) from error
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = {number: line.strip() for number, line in enumerate(text.split("\n"), 1)}
    seen: dict[str, int] = {}
    for number, line in lines.items():
        if line:
            _check(line, number, path, seen)
    if not seen:
        raise RecipeError(f"prompts: {str(path)!r} holds no prompt\n  Write one a line.")
    return Prompts(path, content, tuple(seen))


def _check(line: str, number: int, path: Path, seen: dict[str, int]) -> None:
    """Refuse what is too long or there already; else keep its number."""
    if len(line) > LONGEST:
        raise RecipeError(
            f"prompts: line {number} of {str(path)!r} has {len(line)} characters, a prompt may have {LONGEST}: "
            f"{shown(line, 60)}"
        )
    if line in seen:
        raise RecipeError(
            f"prompts: line {number} of {str(path)!r} repeats line {seen[line]}: {shown(line, 60)}\n  Each prompt "
            "stands there once; with more `samples` than prompts each is asked for several times."
        )
    seen[line] = number


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= LARGEST else b""
    except OSError as error:
        raise RecipeError(f"prompts: {str(path)!r} cannot be read: {error.strerror}\n  {_REMEDY}") from error
    if size > LARGEST:
        raise RecipeError(f"prompts: {str(path)!r} has {size} bytes, a file of prompts may have {LARGEST}")
    return content
