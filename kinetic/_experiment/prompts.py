"""Prompts from a file: sample i is asked for the prompt of index i mod their number."""

from __future__ import annotations

from kinetic import options
from kinetic.errors import RecipeError, shown

LONGEST = 2000
"""Characters of a prompt."""


def read_prompts(location: object) -> tuple[str, ...]:
    """The prompts in a text file, one a line; empty lines and those that begin with # are none.

    Raises:
        MissingFileError: nothing is there.
        RecipeError: it is no text in UTF-8, holds no prompt, or one of more than `LONGEST` characters.
    """
    if not isinstance(location, str):
        raise RecipeError(f"[run] 'prompts' must be the path of a text file, a prompt a line: {shown(location)}")
    path = options.existing_path(location, what="[run] 'prompts'", remedy="Write the prompts there, one a line.")
    try:
        lines = path.read_bytes().decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"[run] 'prompts' cannot be read as text in UTF-8: {path}: {error}") from error
    prompts = tuple(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))
    long = next((prompt for prompt in prompts if len(prompt) > LONGEST), None)
    if long is not None:
        raise RecipeError(f"[run] 'prompts' holds one of {len(long)} characters, at most {LONGEST}: {shown(long)}")
    if not prompts:
        raise RecipeError(
            f"[run] 'prompts' holds no prompt: {path}\n  Write one a line; lines that begin with # are none."
        )
    return prompts
