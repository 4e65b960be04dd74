"""Tables laid over tables: arms over what they share, and `--set KEY.KEY=VALUE` over what a file says."""

from __future__ import annotations

import math
import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from kinetic._experiment.recipe_file import DEEPEST
from kinetic._plugins.builder import named
from kinetic.errors import RecipeError, shown, unknown
from kinetic.options import LARGEST

NAMED = ("energy", "metrics")
"""Tables of components, each of which is named by its key where it has no `name`."""

_NO_COMPONENT = ("name", "title", "about", "baseline", "against", "run", "arms", *NAMED)
_KEY = re.compile(r"""\s*([^\s.=#"'\[\]{}]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')\s*([.=])""")


class Whole(dict[str, Any]):
    """A table that takes the place of another, key by key of it."""


def merged(base: Mapping[str, Any], over: Mapping[str, Any], key: str = "", within: str = "") -> dict[str, Any]:
    """`base` with the keys of `over`, table by table. A table that changes `name` starts afresh.

    A string that meets a table stands for a component of that name. `key` is that of the tables, `within` the key of
    the table around them.
    """
    name = base.get("name", key if within in NAMED else None)
    if isinstance(over.get("name"), str) and over["name"] != name:
        return plain(over)
    together = dict(base)
    for each, value in over.items():
        below = together.get(each)
        if isinstance(below, Mapping) or isinstance(value, Mapping):
            below, value = _component(each, below), _component(each, value)  # noqa: PLW2901
        if isinstance(below, Mapping) and isinstance(value, Mapping) and not isinstance(value, Whole):
            together[each] = merged(below, value, each, key)
        else:
            together[each] = plain(value)
    return together


def _component(key: str, value: Any) -> Any:
    """A string under most keys stands for the component of that name."""
    return value if key in _NO_COMPONENT else named(value)


def plain(value: Any) -> Any:
    """A value without `Whole`."""
    return {key: plain(item) for key, item in value.items()} if isinstance(value, Mapping) else value


def overridden(content: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """`content` with every `KEY.KEY=VALUE` set, whatever their order; a table of `VALUE` takes the old one's place.

    Raises:
        RecipeError: one that is not of that form, or leads through what is no table.
        UnknownNameError: the arm is not there.
    """
    over: dict[str, Any] = {}
    for override in overrides:
        path, value = parsed(override)
        _check_path(content, over, path, override)
        table = over
        for key in path[:-1]:
            table[key] = _through(table, key, override)
            table = table[key]
        table[path[-1]] = Whole(value) if isinstance(value, dict) else value
    return merged(content, over)


def parsed(override: str) -> tuple[list[str], Any]:
    """The keys and the value of `KEY.KEY=VALUE`.

    Keys are those of TOML, with quotes where they hold dots: `arms."v1.2".solver.steps=9`. The value is TOML, or else a
    string: all of it, so that `7#b` is no 7.

    Raises:
        RecipeError: it is not of that form.
    """
    if override.encode(errors="replace") != override.encode(errors="surrogateescape"):
        raise RecipeError(f"an override must be text, which a recipe can hold: {shown(override)}")
    path, at, sign = [], 0, "."
    while sign == ".":
        key = _KEY.match(override, at)
        if key is None:
            raise RecipeError(f"an override is KEY.KEY=VALUE, as in arms.kts.schedule.alpha=0.02: {shown(override)}")
        path.append(_unquoted(key[1], override))
        at, sign = key.end(), key[2]
    if len(path) > DEEPEST:
        raise RecipeError(f"{shown(override)} is nested more than {DEEPEST} deep")
    value, called = _value(override[at:].strip(), ".".join(path)), ".".join(path)
    check_values(value, called)
    return path, value


def check_values(value: Any, key: str, depth: int = 0) -> None:
    """Refuse what no component could use and no file of a run could hold.

    Raises:
        RecipeError: a number that is not finite or beyond 64 bits, or tables within tables without end, named by `key`.
    """
    if depth > DEEPEST:
        raise RecipeError(f"{key.partition('.')[0]} is nested more than {DEEPEST} deep")
    if isinstance(value, Mapping):
        for name, item in value.items():
            check_values(item, f"{key}.{name}" if key else name, depth + 1)
    elif isinstance(value, list):
        for item in value:
            check_values(item, key, depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise RecipeError(f"{key} must be a finite number, at most 1.8e308: {value}")
    elif isinstance(value, int) and not -LARGEST <= value <= LARGEST:
        raise RecipeError(f"{key} must be an int of 64 bits, at most {LARGEST}: {shown(value)}")


def _unquoted(key: str, override: str) -> str:
    if key[0] not in "\"'":
        return key
    try:
        return next(iter(tomllib.loads(f"{key} = 0")))
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{shown(override)}: {key} is no key of TOML: {error}") from error


def _value(text: str, key: str) -> Any:
    """The value that is the whole of a text: in an inline table a comment would leave the brace open."""
    try:
        top = tomllib.loads(f"it = {{it = {text}}}")
        if list(top) == list(top["it"]) == ["it"] and not text.endswith(","):
            return top["it"]["it"]
    except tomllib.TOMLDecodeError:
        pass
    except RecursionError as error:
        raise RecipeError(f"{key} is nested more than {DEEPEST} deep") from error
    except ValueError as error:  # a number of thousands of digits
        raise RecipeError(f"{key} must be an int of 64 bits, at most {LARGEST}: {error}") from error
    if any(unicodedata.category(letter) == "Cc" for letter in text):
        raise RecipeError(f"{key} must be set to a value of TOML, or to text of one line: {shown(text)}")
    return text


def _check_path(content: Mapping[str, Any], over: Mapping[str, Any], path: Sequence[str], override: str) -> None:
    arms: Any = content.get("arms")
    if path[0] == "arms" and len(path) > 2 and isinstance(arms, Mapping):
        new = over.get("arms", {})
        if path[1] not in arms and path[1] not in (new if isinstance(new, Mapping) else ()):
            raise unknown("there is no arm", path[1], arms, f"A new one is set whole: arms.{path[1]}={{...}}")
    table: Any = content
    for key in path[:-1]:
        table = _through(table, key, override)


def _through(table: Mapping[str, Any], key: str, override: str) -> dict[str, Any]:
    """The table under a key, a new one where there is none."""
    inner = _component(key, table.get(key, {}))
    if not isinstance(inner, dict):
        raise RecipeError(f"{shown(override)} goes through {key!r}, which is no table: {shown(inner)}")
    return inner
