"""Which files of a folder are images, and the notes on the others."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from kinetic import options
from kinetic.errors import MissingFileError
from kinetic_data.listing import Listing

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
"""How images end, as pytorch-fid has them."""

_NAMED = 5  # files named in a message


def images_in(root: Path, listing: Listing) -> tuple[dict[str, int], dict[str, str], list[str]]:
    """`{image: size}`, `{image: why it cannot be opened}`, and what is no image, by the ends of their names.

    Raises:
        MissingFileError: some folders cannot be listed, or what is there cannot be looked at: images may be missing.
    """
    lost = {name: cause for name, cause in listing.unreachable.items() if not _is_image(name)}
    if lost:
        causes = few([f"{name} ({cause})" for name, cause in lost.items()])
        raise MissingFileError(
            f"images: {len(lost)} entries of {str(root)!r} cannot be read, and may be or hold images: {causes}\n"
            "  Let them be read, mend the links, or remove them."
        )
    sizes = {name: size for name, size in listing.files.items() if _is_image(name)}
    broken = {name: cause for name, cause in {**listing.unreachable, **listing.special}.items() if _is_image(name)}
    others = [name for name in (*listing.files, *listing.special) if not _is_image(name)]
    return sizes, broken, sorted(others, key=lambda name: name.split("/"))


def notes_on(root: Path, listing: Listing, others: Sequence[str]) -> list[str]:
    """What was left out of a folder, and what is there twice."""
    notes = []
    if others:
        notes.append(f"Left out: {len(others)} files in {root} that are no images: {few(others)}.")
    if listing.loops:
        notes.append(
            f"Left out: {len(listing.loops)} linked folders in {root} that lead back to one they lie in: "
            f"{few(listing.loops)}."
        )
    again = [name for name in listing.again if _is_image(name)]
    if again:
        notes.append(f"{len(again)} images in {root} are there under another name too, by links: {few(again)}.")
    return notes


def few(names: Sequence[str], most: int = _NAMED) -> str:
    """The first names of many; what is no text in one is written as `\\xff`."""
    shown = [os.fsencode(name).decode("utf-8", "backslashreplace") for name in names[:most]]
    return ", ".join(shown) + (", ..." if len(names) > most else "")


def _is_image(name: str) -> bool:
    return options.suffix(name) in SUFFIXES
