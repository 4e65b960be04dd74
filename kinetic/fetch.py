"""Files from the network: said before they are fetched, asked for once, and never where the network is forbidden.

A component that fetches does it by `downloaded` or `from_hub`: one line on stderr says what comes from where. Where
`HF_HUB_OFFLINE` or `TRANSFORMERS_OFFLINE` is set nothing is fetched, and the error says which file belongs where.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import torch

from kinetic import options
from kinetic._terminal import console, say
from kinetic.errors import MissingFileError, OptionError

_SWITCHES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_PATIENCE = 10  # seconds in which a server answers, or there is none
_HASH = re.compile(r"-([0-9a-f]{8,})\.")  # of a file's SHA-256 in its name, as torch.hub reads it

Made = TypeVar("Made")


def offline() -> str | None:
    """The environment variable that forbids the network, as huggingface_hub reads it, or None."""
    return next((name for name in _SWITCHES if os.environ.get(name, "").upper() in {"1", "ON", "YES", "TRUE"}), None)


def forbidden() -> str:
    """For an error about a download: which variable forbids the network, in brackets, or nothing."""
    switch = offline()
    return f" ({switch} forbids the network)" if switch else ""


def announce(what: str, origin: str) -> None:
    """Say on stderr, in a line, what is fetched from where. Call it before anything is."""
    say(console(stderr=True), f"fetching {what} from {origin}", whole=True)


def cached(url: str) -> Path:
    """Where torch keeps what it fetched from there."""
    return Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]


def hash_in(name: str) -> str:
    """How the SHA-256 of a file begins by its name, as in `NAME-6726825d.pth`; empty where the name says nothing."""
    known = _HASH.search(name)
    return known[1] if known else ""


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
    if os.path.lexists(path):
        _check(options.existing_file(path, what=what, remedy="Remove it, and it is fetched anew."), sha256, what)
        return path
    switch = offline()
    if switch:
        raise MissingFileError(f"{what}: there is no {str(path)!r}, and {switch} forbids to fetch {url}\n  {remedy}")
    announce(what, f"{url} to {path}")
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


def from_hub(load: Callable[[], Made], what: str, repositories: tuple[str, ...], remedy: str) -> Made:
    """What `load` makes by way of the Hub's client: from its cache, and from the network only where a file lacks.

    Its client asks again and again, for most of a minute, without a word. Here the cache is looked at first, then it is
    said what is fetched, and a server that does not answer is asked once.

    Args:
        load: asks the client for files and makes something of them; called twice where the cache lacks one.
        what: what is made, in errors and in what is said.
        repositories: where its files lie.
        remedy: a way on without the network, the end of an error.
    Raises:
        MissingFileError: a file is not in the cache, and may not or cannot be fetched.
    """
    try:
        with no_hub():
            return load()
    except Exception as error:  # whatever the library makes of it
        if not _lacks_a_file(error):
            raise
    constants = _client().constants
    origin = " and ".join(f"{constants.ENDPOINT}/{each}" for each in repositories)
    fills = " and ".join(f"`hf download {each}`" for each in repositories)
    way = f"Fill that cache where the network may be used: {fills}."
    switch = offline()
    if switch:
        raise MissingFileError(
            f"{what}: not in {constants.HF_HUB_CACHE}, and {switch} forbids to fetch {origin}\n  {way}\n  {remedy}"
        )
    announce(what, origin)
    try:
        _client().utils.get_session().head(constants.ENDPOINT, timeout=_PATIENCE)
    except Exception as error:  # of its HTTP library, which is not always the same one
        cause = " ".join(str(error).split())
        raise MissingFileError(
            f"{what}: not in {constants.HF_HUB_CACHE}, and {constants.ENDPOINT} does not answer: {cause}\n  {way}\n"
            f"  {remedy}"
        ) from error
    return load()


@contextmanager
def no_hub() -> Iterator[None]:
    """While it is open the Hub's client answers from its cache alone, and libraries do not log what it lacks."""
    client, before = _client(), logging.root.manager.disable
    renew = getattr(client.utils, "reset_sessions", lambda: None)  # older ones read the switch as a session is made
    with mock.patch.object(client.constants, "HF_HUB_OFFLINE", True):
        renew()
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(before)
            renew()


def _client() -> Any:
    import huggingface_hub

    return huggingface_hub


def _lacks_a_file(error: BaseException | None) -> bool:
    """Whether the Hub's client lacked a file, somewhere below an error."""
    lacking = (_client().errors.LocalEntryNotFoundError, _client().errors.OfflineModeIsEnabled)
    while error is not None:
        if isinstance(error, lacking):
            return True
        error = error.__cause__ or error.__context__
    return False
