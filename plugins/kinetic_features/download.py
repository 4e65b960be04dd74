"""Files from the network: whence, whether they may be asked for, and whether they are the ones that were meant."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import torch

from kinetic.errors import MissingFileError, OptionError

_SWITCHES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


def offline() -> str | None:
    """The environment variable that forbids the network, as huggingface_hub reads it, or None."""
    return next((name for name in _SWITCHES if os.environ.get(name, "").upper() in {"1", "ON", "YES", "TRUE"}), None)


def forbidden() -> str:
    """For an error about a download: which variable forbids the network, in brackets, or nothing."""
    switch = offline()
    return f" ({switch} forbids the network)" if switch else ""


def cached(url: str) -> Path:
    """Where torch keeps what it fetched from there."""
    return Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]


def downloaded(url: str, sha256: str, what: str, remedy: str) -> Path:
    """A file of torch's cache, fetched where it is not there.

    Args:
        url: whence, and what the file is called.
        sha256: how the hexadecimal SHA-256 of its content begins; what has another is never used.
        what: what it is called in errors.
        remedy: the way on without the network, the end of an error.
    Raises:
        MissingFileError: it is not in the cache and cannot be fetched, or may not be.
        OptionError: the file in the cache is another.
    """
    path = cached(url)
    if path.exists():
        _check(path, sha256, what)
        return path
    switch = offline()
    if switch:
        raise MissingFileError(f"{what}: there is no {str(path)!r}, and {switch} forbids to fetch {url}\n  {remedy}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(path), hash_prefix=sha256)
    except Exception as error:  # a download fails in as many ways as there are libraries below it
        raise MissingFileError(f"{what} could not be fetched from {url} to {path}: {error}\n  {remedy}") from error
    return path


def _check(path: Path, sha256: str, what: str) -> None:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise OptionError(f"{what}: {str(path)!r} cannot be read: {error.strerror}") from error
    if not digest.startswith(sha256):
        raise OptionError(
            f"{what}: {str(path)!r} is not the file of that name, whose SHA-256 begins with {sha256}: {digest}\n"
            "  Remove it, and it is fetched anew."
        )
