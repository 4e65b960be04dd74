"""Numbers and intervals as text, in the digits they deserve."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

_SMALL = 1e-3  # below this, scientific notation
_MINUS = re.compile(r"(?<![\w.])-(?=\d)|(?<=\de)-(?=\d)|(?<= )-(?= )")


def number(value: float | None, digits: int = 3) -> str:
    """A number in few digits, without exponents where it can be."""
    if value is None:
        return ""
    if value == 0:
        return "0"
    text = f"{value:.{digits}g}"
    return f"{float(text):g}" if abs(value) < 1e5 else text


def fixed(value: float, places: int) -> str:
    """A number with so many decimal places, 0 without a sign."""
    text = f"{value:.{places}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def interval(estimate: Mapping[str, Any] | None) -> str:
    """`0.42 [0.40, 0.44]`, in the digits the interval deserves; `3.1e-5 [2.9e-5, 3.4e-5]` where all is small."""
    if estimate is None:
        return ""
    value, low, high = _parts(estimate)
    if low is None or high is None:
        return number(value, 4)
    size = max(abs(value), abs(low), abs(high))
    if 0 < size < _SMALL:
        tens = math.floor(math.log10(size))
        last = tens - _places((high - low) / 10.0**tens, size / 10.0**tens)
        return "{} [{}, {}]".format(*(_scientific(one, last) for one in (value, low, high)))
    return _at(estimate, _places(high - low, size))


def format_aligned(estimates: Sequence[Mapping[str, Any] | None]) -> list[str]:
    """Intervals that are read side by side, with the decimal places that most of them deserve.

    One that is exactly 0, or whose ends these places would not tell apart, is said in its own way.
    """
    votes: Counter[int] = Counter()
    for estimate in estimates:
        _, low, high = _parts(estimate or {})
        if low is not None and high is not None and low < high and max(abs(low), abs(high)) >= _SMALL:
            votes[_places(high - low, max(abs(low), abs(high)))] += 1
    if not votes:
        return [interval(estimate) for estimate in estimates]
    places = max(votes, key=lambda place: (votes[place], -place))
    return [
        _at(estimate, places) if estimate is not None and _tells(estimate, places) else interval(estimate)
        for estimate in estimates
    ]


def typeset(text: str) -> str:
    """The text with true minus signs before its numbers; hyphens of names stay."""
    return _MINUS.sub("\N{MINUS SIGN}", text)


def _parts(estimate: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return estimate.get("value"), estimate.get("low"), estimate.get("high")


def _tells(estimate: Mapping[str, Any], places: int) -> bool:
    """Whether so many places say what there is to say: the width, or that there is none."""
    _, low, high = _parts(estimate)
    if low is None or high is None:
        return False
    return bool(low != 0) if low == high else fixed(low, places) != fixed(high, places)


def _at(estimate: Mapping[str, Any], places: int) -> str:
    return "{} [{}, {}]".format(*(fixed(one, places) for one in _parts(estimate)))


def _places(width: float, size: float) -> int:
    """Decimal places that show an interval of this width to two digits, at the most six."""
    if width <= 1e-9 * size:
        return 0 if size == int(size) else 3
    places = 1
    while width < 1 and places < 6:
        width, places = width * 10, places + 1
    return places if places > 1 or size < 100 else 0


def _scientific(value: float, last: int) -> str:
    """`3.1e-5`, down to the digit that counts 10^last."""
    if value == 0:
        return "0"
    digits = round(abs(value) / 10.0**last)
    mantissa, _, exponent = f"{value:.{len(str(digits)) - 1}e}".partition("e")
    return f"{mantissa}e{int(exponent)}"
