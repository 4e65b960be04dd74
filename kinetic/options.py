"""Options of a component: attrs fields that check what they are given and say what is allowed.

An attrs class *is* its options: the keys a recipe may use are exactly its fields. Plain `attrs.field` works too;
these spell the common cases, and `kinetic show ROLE NAME` prints their bounds and words.

    @attrs.frozen
    class Euler(kinetic.Solver):
        steps: int = options.integer(50, at_least=1, doc="number of equal steps")
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import math
import numbers
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

from kinetic.errors import MissingFileError, OptionError, shown

COMPONENT, DOC, BOUND, UNLESS = "kinetic.component", "kinetic.doc", "kinetic.bound", "kinetic.unless"
PROMPTS = "kinetic.prompts"
LARGEST = 2**63 - 1
"""What torch and TOML can count to."""


def integer(
    default: Any = attrs.NOTHING, *, at_least: int | None = None, at_most: int | None = None, doc: str = ""
) -> Any:
    """A whole number of 64 bits, NumPy's too; with the default None, one or nothing.

    `2.5`, `"2"` and `True` are refused, never converted.
    """
    nothing = default is None

    def check(name: str, value: Any) -> None:
        if not (nothing and value is None):
            check_integer(repr(name), value, at_least=at_least, at_most=at_most, nothing=nothing)

    bound = _bound("an int", at_least, None, at_most, None, nothing)
    return _field(default, check, bound, doc, converter=as_number)


def check_integer(
    name: str, value: Any, *, at_least: int | None = None, at_most: int | None = None, nothing: bool = False
) -> int:
    """`value` as an int, if it is a whole number of 64 bits within the bounds; `nothing` says that None would do too.

    Raises:
        OptionError: it is not; the message names it as `name`.
    """
    given = as_number(value)
    whole = isinstance(given, int) and not isinstance(given, bool)
    if whole and _within(given, at_least, None, at_most, None) and -LARGEST <= given <= LARGEST:
        return int(given)
    if whole and at_most is None and given > LARGEST:
        at_most = LARGEST
    if whole and at_least is None and given < -LARGEST:
        at_least = -LARGEST
    raise OptionError(f"{name} must be {_bound('an int', at_least, None, at_most, None, nothing)}: {shown(value)}")


def number(
    default: Any = attrs.NOTHING,
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
    doc: str = "",
) -> Any:
    """A finite real number; a whole number is taken as one, and NumPy's are. With the default None, one or nothing."""
    nothing = default is None
    bound = _bound("a number", at_least, above, at_most, below, nothing)

    def holds(value: Any) -> bool:
        real = isinstance(value, float) and math.isfinite(value)
        return (nothing and value is None) or (real and _within(value, at_least, above, at_most, below))

    def as_real(value: Any) -> Any:
        given = as_number(value)
        with contextlib.suppress(OverflowError):  # of a whole number beyond 1e308
            return float(given) if type(given) is int else given
        return given

    return _field(default, _holding(holds, bound), bound, doc, converter=as_real)


def as_number(value: Any) -> Any:
    """Whole and real numbers of NumPy and of the standard library as an int or a float; anything else as it is."""
    if isinstance(value, bool | int | float):
        return float(value) if isinstance(value, float) else value
    if isinstance(value, numbers.Integral):
        return int(value)
    return float(value) if isinstance(value, numbers.Real) else value


def choice(*allowed: str, default: Any = attrs.NOTHING, doc: str = "") -> Any:
    """One of a few words; with the default None, one or nothing."""
    nothing = default is None
    bound = "one of " + ", ".join(map(repr, allowed)) + (", or nothing" if nothing else "")
    if not allowed or not all(isinstance(word, str) for word in allowed):
        raise OptionError(f"a choice must be among strings, one or more: {allowed!r}")
    if default is not attrs.NOTHING and not nothing and default not in allowed:
        raise OptionError(f"the default of a choice must be {bound}: {default!r}")

    def holds(value: Any) -> bool:
        return (nothing and value is None) or (isinstance(value, str) and value in allowed)

    return _field(default, _holding(holds, bound), bound, doc)


def flag(default: bool, *, doc: str = "") -> Any:
    """True or false."""
    bound = "true or false"
    return _field(default, _holding(lambda value: isinstance(value, bool), bound), bound, doc)


def text(default: Any = attrs.NOTHING, *, alias: str | None = None, doc: str = "") -> Any:
    """A string; with the default None, a string or nothing. `alias` is what it is called, if not by its name."""
    bound = "a string" if default is not None else "a string, or nothing"
    check = _holding(lambda v: isinstance(v, str) or (v is None and default is None), bound)
    return _field(default, check, bound, doc, alias=alias)


def texts(
    default: Any = attrs.NOTHING, *, at_least: int = 0, prompts: bool = False, alone: bool = False, doc: str = ""
) -> Any:
    """A list of strings, kept as a tuple; with `prompts`, one left out is the recipe's own `prompts` under `[run]`.

    With `alone` a string by itself is a list of one.
    """

    def holds(value: Any) -> bool:
        return isinstance(value, tuple) and len(value) >= at_least and all(isinstance(v, str) for v in value)

    bound = "a list of strings" + (f", {at_least} or more" if at_least else "")
    return _field(
        default,
        _holding(holds, bound),
        bound,
        doc,
        converter=lambda v: (v,) if alone and isinstance(v, str) else tuple(v) if isinstance(v, list) else v,
        extra={PROMPTS: prompts},
    )


def component(
    cls: type,
    default: Any = attrs.NOTHING,
    *,
    converter: Callable[[Any], Any] | None = None,
    doc: str = "",
    unless: str | None = None,
) -> Any:
    """Another component: one of a role's abstract class, as in `component(kinetic.Solver)`.

    In a recipe it is a table with a `name`, `features = { name = "pixels" }`, or the name alone. One left out is the
    recipe's own: a required `Dataset` its `[data]`, one called `reference` its `[reference]`, a `FeatureSpace` of a
    metric its `[features]`. `unless` names another option that does instead: a recipe gives one of both, and the
    recipe's own fills in where it gives neither.
    """
    if not inspect.isclass(cls):
        raise OptionError(f"a component is declared by its abstract class, as in component(kinetic.Solver): {cls!r}")
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", cls.__name__).lower()
    bound = f"{'an' if words[0] in 'aeiou' else 'a'} {words}"

    def holds(value: Any) -> bool:
        return (value is None and default is None) or isinstance(value, cls)

    return _field(
        default, _holding(holds, bound), bound, doc, converter=converter, extra={COMPONENT: cls, UNLESS: unless}
    )


def existing_path(location: str | Path, *, what: str, remedy: str) -> Path:
    """The path of an existing file or folder; `package:NAME/REST` is REST inside the installed package NAME.

    The package is located, not imported, so that naming one in a recipe runs none of its code.

    Raises:
        MissingFileError: nothing is there, or nothing that can be reached or is a file or a folder; the message ends
            with `remedy`.
    """
    path = Path(location)
    if isinstance(location, str) and location.startswith("package:"):
        package, _, rest = location.removeprefix("package:").partition("/")
        spec = importlib.util.find_spec(package) if package.isidentifier() else None
        if spec is None or not spec.submodule_search_locations:
            raise MissingFileError(f"{what}: no installed package is named {package!r}, asked for by {location!r}")
        path = Path(next(iter(spec.submodule_search_locations))) / rest
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise MissingFileError(f"{what}: there is no {str(path)!r}\n  {remedy}") from None
    except (OSError, ValueError) as error:  # no leave to look, or no path at all
        raise MissingFileError(f"{what}: {str(path)!r} cannot be looked at: {error}\n  {remedy}") from error
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # a pipe would be waited for
        raise MissingFileError(
            f"{what}: {str(path)!r} is neither a file nor a folder\n  Save what it gives in a file, and name that."
        )
    return path


def existing_file(location: str | Path, *, what: str, remedy: str) -> Path:
    """The path of an existing file, as of `existing_path`. Every reader of a file asks here before it opens one.

    Raises:
        MissingFileError: also for a folder.
    """
    path = existing_path(location, what=what, remedy=remedy)
    if path.is_dir():
        raise MissingFileError(f"{what}: {str(path)!r} is a folder, and must be a file\n  {remedy}")
    return path


def existing_folder(location: str | Path, *, what: str, remedy: str) -> Path:
    """The path of an existing folder, as of `existing_path`.

    Raises:
        MissingFileError: also for a file.
    """
    path = existing_path(location, what=what, remedy=remedy)
    if not path.is_dir():
        raise MissingFileError(f"{what}: {str(path)!r} is a file, and must be a folder\n  {remedy}")
    return path


def suffix(path: str | Path) -> str:
    """How the name of a file ends, in lower case, as `.npy`: what tells files apart here, however they are written."""
    return Path(path).suffix.lower()


def _holding(holds: Callable[[Any], bool], bound: str) -> Callable[[str, Any], None]:
    """The check that `holds` is true of a value."""

    def check(name: str, value: Any) -> None:
        if not holds(value):
            raise OptionError(f"{name!r} must be {bound}: {shown(value)}")

    return check


def _field(
    default: Any,
    check: Callable[[str, Any], None],
    bound: str,
    doc: str,
    converter: Callable[[Any], Any] | None = None,
    extra: dict[str, Any] | None = None,
    alias: str | None = None,
) -> Any:
    def validate(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        check(attribute.alias or attribute.name, value)

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


def _bound(
    kind: str,
    at_least: float | None,
    above: float | None,
    at_most: float | None,
    below: float | None,
    nothing: bool = False,
) -> str:
    limits = ((">=", at_least), (">", above), ("<=", at_most), ("<", below))
    signs = [
        f"{sign} {limit if isinstance(limit, int) else f'{limit:g}'}" for sign, limit in limits if limit is not None
    ]
    return " ".join([kind, " and ".join(signs)]).strip() + (", or nothing" if nothing else "")
