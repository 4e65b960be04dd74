"""Prompts from a file: sample i is asked for the prompt of index i mod their number."""

from __future__ import annotations

from pathlib import Path

from kinetic.errors import RecipeError, shown
from kinetic.options import existing_file

LONGEST = 2000
"""Characters of a prompt; text encoders read 77 to 512 tokens."""
LARGEST = 2**26
"""Bytes of a file of prompts."""


def read_prompts(location: object) -> tuple[str, ...]:
    """The prompts in a text file, one a line; empty lines and those that begin with # are none.

    Blanks at the ends of a line are no part of its prompt.

    Args:
        location: the path, or `package:NAME/REST`.
    Raises:
        MissingFileError: nothing is there.
        RecipeError: it is too large, no text in UTF-8 or holds no prompt; one is too long, or there twice.
    """
    if not isinstance(location, str):
        raise RecipeError(f"[run] 'prompts' must be the path of a text file, a prompt a line: {shown(location)}")
    path = existing_file(location, what="[run] 'prompts'", remedy="Write the prompts there, one a line.")
    seen: dict[str, int] = {}
    for number, line in enumerate(_text(path).replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        prompt = line.strip()
        if prompt and not prompt.startswith("#"):
            _check(prompt, number, path, seen)
            seen[prompt] = number
    if not seen:
        raise RecipeError(
            f"[run] 'prompts' holds no prompt: {path}\n  Write one a line; lines that begin with # are none."
        )
    return tuple(seen)


def _check(prompt: str, number: int, path: Path, seen: dict[str, int]) -> None:
    """Refuse what is too long or there already."""
    if len(prompt) > LONGEST:
        raise RecipeError(
            f"[run] 'prompts' holds one of {len(prompt)} characters, at most {LONGEST}: line {number} of {path}, "
            f"{shown(prompt, 60)}"
        )
    if prompt in seen:
        raise RecipeError(
            f"[run] 'prompts' holds one twice: lines {seen[prompt]} and {number} of {path}, {shown(prompt, 60)}\n  "
            "Write it once; where there are more `samples` than prompts, each is asked for several times."
        )


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise RecipeError(f"[run] 'prompts' has {size} bytes, at most {LARGEST}: {path}")
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"[run] 'prompts' cannot be read as text in UTF-8: {path}: {error}") from error
