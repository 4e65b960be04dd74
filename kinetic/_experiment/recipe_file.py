"""Files of recipes, read and not yet checked. Needs no torch, so that `kinetic recipes` does not."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from kinetic.errors import RecipeError, shown
from kinetic.options import LARGEST, existing_file

DEEPEST = 40
"""Tables within tables, and lists."""
_DIGITS = re.compile(r"[0-9][0-9_]{4299,}")  # more than Python reads


def read_recipe(path: Path) -> dict[str, Any]:
    """What a recipe file holds, unchecked.

    Raises:
        RecipeError: it cannot be read, or is not valid TOML.
    """
    content, text = read_bytes(path), ""
    try:
        text = content.decode("utf-8-sig")
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not valid TOML: {error}") from error
    except RecursionError as error:
        line = max(text.splitlines(), key=lambda line: line.count("[") + line.count("{"))
        raise RecipeError(f"{path}: {_key(line)} is nested more than {DEEPEST} deep") from error
    except ValueError as error:
        line = next((line for line in text.splitlines() if _DIGITS.search(line)), "")
        raise RecipeError(f"{path}: {_key(line)} must be an int of 64 bits, at most {LARGEST}: {error}") from error


def _key(line: str) -> str:
    return shown(line.partition("=")[0].strip(), 60)


def read_bytes(path: Path) -> bytes:
    """A recipe file as it is.

    Raises:
        RecipeError: it cannot be read, or is no file.
    """
    try:
        return existing_file(path, what="TOML", remedy="Give a file of TOML.").read_bytes()
    except OSError as error:
        raise RecipeError(f"{path} cannot be read: {error}") from error
