"""Options of a component: attrs fields that check what they are given and say what is allowed.

An attrs class *is* its options: the keys a recipe may use are exactly its fields. Plain `attrs.field` works too;
these spell the common cases, and `kinetic show ROLE NAME` prints their bounds and words.

    @attrs.frozen
    class Euler(kinetic.Solver):
        steps: int = options.integer(50, at_least=1, doc="number of equal steps")
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs

from kinetic.errors import MissingFileError, OptionError

ROLE, DOC, BOUND, UNLESS = "kinetic.role", "kinetic.doc", "kinetic.bound", "kinetic.unless"
NAMES = {"features": "feature space"}
"""What one component of a role is called, where that is not the role's own name."""


def integer(
    default: Any = attrs.NOTHING, *, at_least: int | None = None, at_most: int | None = None, doc: str = ""
) -> Any:
    """A whole number. `2.5`, `"2"` and `True` are refused, never converted."""
    bound = _bound("an int", at_least, None, at_most, None)

    def check(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and _within(value, at_least, None, at_most, None)

    return _field(default, check, bound, doc)


def number(
    default: Any = attrs.NOTHING,
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
    doc: str = "",
) -> Any:
    """A finite real number; a whole number is taken as one."""
    bound = _bound("a number", at_least, above, at_most, below)

    def check(value: Any) -> bool:
        real = isinstance(value, int | float) and not isinstance(value, bool)
        return real and math.isfinite(value) and _within(value, at_least, above, at_most, below)

    return _field(default, check, bound, doc, converter=lambda v: float(v) if type(v) is int else v)


def choice(*allowed: str, default: Any = attrs.NOTHING, doc: str = "") -> Any:
    """One of a few words."""
    bound = "one of " + ", ".join(map(repr, allowed))
    if not allowed or not all(isinstance(word, str) for word in allowed):
        raise OptionError(f"a choice must be among strings, one or more: {allowed!r}")
    if default is not attrs.NOTHING and default not in allowed:
        raise OptionError(f"the default of a choice must be {bound}: {default!r}")
    return _field(default, lambda value: isinstance(value, str) and value in allowed, bound, doc)


def flag(default: bool, *, doc: str = "") -> Any:
    """True or false."""
    return _field(default, lambda value: isinstance(value, bool), "true or false", doc)


def text(default: Any = attrs.NOTHING, *, alias: str | None = None, doc: str = "") -> Any:
    """A string; with the default None, a string or nothing. `alias` is what it is called, if not by its name."""
    bound = "a string" if default is not None else "a string, or nothing"
    return _field(default, lambda v: isinstance(v, str) or (v is None and default is None), bound, doc, alias=alias)


def texts(default: Any = attrs.NOTHING, *, at_least: int = 0, doc: str = "") -> Any:
    """A list of strings, kept as a tuple."""

    def check(value: Any) -> bool:
        return isinstance(value, tuple) and len(value) >= at_least and all(isinstance(v, str) for v in value)

    bound = "a list of strings" + (f", {at_least} or more" if at_least else "")
    return _field(default, check, bound, doc, converter=lambda v: tuple(v) if isinstance(v, list) else v)


def component(
    role: str,
    default: Any = attrs.NOTHING,
    *,
    converter: Callable[[Any], Any] | None = None,
    doc: str = "",
    unless: str | None = None,
) -> Any:
    """Another component, of the given role.

    In a recipe it is a table with a `name`, `features = {name = "pixels"}`. A required `dataset` that the recipe
    leaves out is the recipe's own `[data]`. `unless` names another option that does instead: a recipe gives one of
    both, and `[data]` fills in where it gives neither.
    """
    import kinetic  # the abstract classes need torch, which `kinetic --help` must not import

    def check(value: Any) -> bool:
        return (value is None and default is None) or isinstance(value, kinetic.abstract_class(role))

    bound = f"a {NAMES.get(role, role)}"
    return _field(default, check, bound, doc, converter=converter, extra={ROLE: role, UNLESS: unless})


def existing_path(location: str | Path, *, what: str, remedy: str) -> Path:
    """The path of an existing file or folder; `package:NAME/REST` is REST inside the installed package NAME.

    The package is located, not imported, so that naming one in a recipe runs none of its code.

    Raises:
        MissingFileError: nothing is there; the message ends with `remedy`.
    """
    path = Path(location)
    if isinstance(location, str) and location.startswith("package:"):
        package, _, rest = location.removeprefix("package:").partition("/")
        spec = importlib.util.find_spec(package) if package.isidentifier() else None
        if spec is None or not spec.submodule_search_locations:
            raise MissingFileError(f"{what}: no installed package is named {package!r}, asked for by {location!r}")
        path = Path(next(iter(spec.submodule_search_locations))) / rest
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise MissingFileError(f"{what}: there is no {str(path)!r}\n  {remedy}") from None
    except (OSError, ValueError) as error:  # no leave to look, or no path at all
        raise MissingFileError(f"{what}: {str(path)!r} cannot be looked at: {error}\n  {remedy}") from error
    return path


def _field(
    default: Any,
    check: Callable[[Any], bool],
    bound: str,
    doc: str,
    converter: Callable[[Any], Any] | None = None,
    extra: dict[str, Any] | None = None,
    alias: str | None = None,
) -> Any:
    def validate(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if not check(value):
            name = attribute.alias or attribute.name
            table = extra is not None and isinstance(value, str)
            way = f'\n  Name it in a table: {name} = {{ name = "{value}" }}' if table else ""
            raise OptionError(f"{name!r} must be {bound}: {value!r}{way}")

    metadata = {DOC: doc, BOUND: bound, **(extra or {})}
    return attrs.field(default=default, validator=validate, converter=converter, metadata=metadata, alias=alias)


def _within(
    value: float, at_least: float | None, above: float | None, at_most: float | None, below: float | None
) -> bool:
    return (
        (at_least is None or value >= at_least)
        and (above is None or value > above)
        and (at_most is None or value <= at_most)
        and (below is None or value < below)
    )


def _bound(kind: str, *limits: float | None) -> str:
    signs: Sequence[str] = (">=", ">", "<=", "<")
    said = [f"{sign} {limit:g}" for sign, limit in zip(signs, limits, strict=True) if limit is not None]
    return " ".join([kind, " and ".join(said)]).strip()
