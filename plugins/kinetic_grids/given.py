"""Times from a list or a file."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, final

import attrs
import torch
from torch import Tensor

from kinetic import TimeGrid, options
from kinetic.errors import OptionError


def _plain(times: Any) -> Any:
    """Lists, arrays and tensors as tuples of numbers."""
    times = times.tolist() if hasattr(times, "tolist") else times
    return tuple(times) if isinstance(times, list) else times


@final
@attrs.frozen(eq=False)
class Given(TimeGrid):
    """Times of your own, as a list or from a file: N + 1 of them for a solver of N steps, which must say N.

    Give one of both. Times rise from 0 (noise) to 1 (data); noise levels sigma, which fall from 1 to 0, are times
    1 - sigma. The run keeps a hash of the times with those of its weights.

    Args:
        times: a list of numbers.
        path: a file of them: `.toml` with the key `times`; `.json`, a list or an object with the key `times`; `.npy`,
            one-dimensional; `.txt`, numbers between blanks, commas or line ends.
    """

    _times: tuple[float, ...] | None = attrs.field(
        default=None, converter=_plain, metadata={options.BOUND: "a list of numbers, or nothing"}
    )
    path: str | None = options.text(None)
    _points: Tensor = attrs.field(init=False, repr=False)  # a tensor, so that its hash is kept with the run

    def __attrs_post_init__(self) -> None:
        if (self._times is None) == (self.path is None):
            raise OptionError("it needs one of the options 'times', a list, and 'path', a file")
        times, source = (self._times, "'times'") if self.path is None else (_from_file(self.path), self.path)
        object.__setattr__(self, "_points", torch.tensor(_numbers(times, source), dtype=torch.float64))
        self.checked(len(self._points) - 1)

    def times(self, steps: int) -> list[float]:
        if steps != len(self._points) - 1:
            raise OptionError(
                f"'steps' must be {len(self._points) - 1} on a grid of {len(self._points)} given times: {steps}"
            )
        return self._points.tolist()


def _numbers(times: Any, source: str) -> list[float]:
    """The times as numbers.

    Raises:
        OptionError: they are no list of two or more numbers from 0 to 1, or fall.
    """
    if not isinstance(times, list | tuple) or len(times) < 2:
        raise OptionError(f"{source} must hold a list of times, 2 or more: {times!r}")
    for k, t in enumerate(times):
        if not isinstance(t, int | float) or isinstance(t, bool) or not 0 <= t <= 1:
            raise OptionError(f"{source} must hold numbers from 0 (noise) to 1 (data): number {k} is {t!r}")
    if times[0] > times[-1]:
        raise OptionError(
            f"{source} must rise from 0 (noise) to 1 (data): they fall from {times[0]} to {times[-1]}\n"
            "  Noise levels sigma are times 1 - sigma."
        )
    return [float(t) for t in times]


def _from_file(location: str) -> Any:
    path = options.existing_file(location, what="a file of times", remedy="Its `path` is relative to where you run.")
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise OptionError(f"a file of times must end in one of {', '.join(_READERS)}: {location!r}")
    try:
        held = read(path)
    except Exception as error:  # at what is no such file NumPy raises almost anything
        message = f"{type(error).__name__}: {error}"
        raise OptionError(f"{path} cannot be read as a file of times: {message}") from error
    if isinstance(held, Mapping):
        if "times" not in held:
            raise OptionError(f"{path} holds no key 'times': {', '.join(map(str, held)) or 'it is empty'}")
        return held["times"]
    return held


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig")


def _array(path: Path) -> Any:
    import numpy as np

    with path.open("rb") as file:
        held = np.load(file, allow_pickle=False)
        if not isinstance(held, np.ndarray):
            raise ValueError("it is an archive of arrays, .npz")
    return held.tolist()


_READERS: Mapping[str, Callable[[Path], Any]] = {
    ".toml": lambda path: tomllib.loads(_text(path)),
    ".json": lambda path: json.loads(_text(path)),
    ".npy": _array,
    ".txt": lambda path: [float(word) for word in _text(path).replace(",", " ").split()],
}
