"""Names of arms and trainings, which name files of a run too."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from kinetic.errors import RecipeError, shown

LONGEST = 80
"""Bytes of a name in UTF-8: a run is called after an arm, a training and a seed, and no file has more than 255."""
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


def check_name(name: str, what: str = "an arm") -> None:
    """Refuse a name that no file could have everywhere, or that could lead out of the run's folder.

    Raises:
        RecipeError: it is so.
    """
    if not all(letter.isalnum() or letter in "-_+" for letter in name) or not name:
        raise RecipeError(f"{what} is named in letters, digits, '-', '_' and '+': {shown(name)}")
    if len(name.encode()) > LONGEST:
        raise RecipeError(f"{what} has a name of at most {LONGEST} bytes: {shown(name, 60)} has {len(name.encode())}")
    if name.lower() in _DEVICES:
        raise RecipeError(f"{what} cannot be named {name!r}, which Windows keeps for a device\n  Give it another name.")


def check_apart(names: Iterable[str], what: str = "arms") -> None:
    """Refuse names that are one where a file system does not tell their letters apart.

    Raises:
        RecipeError: there are two such.
    """
    seen: dict[str, str] = {}
    for name in names:
        alike = seen.setdefault(unicodedata.normalize("NFKC", name).casefold(), name)
        if alike != name:
            raise RecipeError(
                f"two {what} are named {alike!r} and {name!r}, which some file systems take for one name\n"
                "  Let them differ in more than capitals or accents' spelling."
            )
