"""Every error a user can cause. Each names the thing, the value, what is allowed, and the way on."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable, Iterator, Sequence

_BITS = 256  # of a number that is worth writing out


class KineticError(Exception):
    """Base of every error kinetic raises on purpose. The command line prints it without a traceback."""


class UnknownNameError(KineticError, LookupError):
    """A name that no installed plugin offers, or an option or key that does not exist."""


class OptionError(KineticError, ValueError):
    """An option of the wrong type or out of its range."""


class RecipeError(KineticError, ValueError):
    """A recipe that cannot be read or does not say what it must."""


class PluginError(KineticError, ImportError):
    """A plugin that does not import, or two plugins that claim one name."""


class MissingFileError(KineticError, FileNotFoundError):
    """Weights or data that are not where an option says they are."""


class MissingPackageError(KineticError, ImportError):
    """A package that a component needs and that does not import here."""


class ShapeError(KineticError, ValueError):
    """A tensor whose shape is not the one its neighbour expects."""


class FieldError(KineticError, RuntimeError):
    """A velocity field that raised an error of its own when it was first asked, or that never moves a sample."""


class ComponentError(KineticError, RuntimeError):
    """A component that raised an error of its own while it was at work; `__cause__` is that error."""


class OutOfMemoryError(KineticError, MemoryError):
    """Memory, of the machine or of its GPU, that does not hold what was asked for."""


class StoreError(KineticError, OSError):
    """A folder that holds something else, or a file in it that cannot be read or written."""


class RankError(KineticError, RuntimeError):
    """Another process of the same run that ended before its work was done, or that cannot be reached."""


class OutputClosedError(KineticError, BrokenPipeError):
    """A pipe or terminal that text was to be written to, and that nobody reads any more."""


class CheckError(KineticError, AssertionError):
    """A component that breaks a promise of its role, as `kinetic.testing` holds it to.

    Args:
        expected: who promises what.
        came: what came instead.
        remedy: how it is mended.
    """

    def __init__(self, expected: str, came: str, remedy: str) -> None:
        self.expected, self.came, self.remedy = expected, came, remedy
        super().__init__(f"{expected}: {came}\n  {remedy}")


class NonFiniteError(KineticError, ArithmeticError):
    """A velocity field that returned NaN or infinity on the way, for every sample.

    Args:
        ids: the sample ids concerned, in order.
        t: the time of the first step that was not finite, in [0, 1].
    """

    def __init__(self, ids: Sequence[int], t: float) -> None:
        self.ids, self.t = tuple(ids), t
        shown = ", ".join(map(str, self.ids[:8])) + (", ..." if len(self.ids) > 8 else "")
        super().__init__(
            f"the velocity is not finite at t = {t:.6g} for {len(self.ids)} "
            f"sample(s): {shown}\n  Check the field near this time, or use smaller steps."
        )


@contextlib.contextmanager
def within(what: str) -> Iterator[None]:
    """Errors raised inside say where they come from: their message begins with `what`."""
    try:
        yield
    except KineticError as error:
        error.args = (f"{what}: {error.args[0]}", *error.args[1:])
        raise


def unknown(what: str, name: str, known: Iterable[str], hint: str = "") -> UnknownNameError:
    """The error for a name nobody knows: the nearest known one, all known ones, and where to look."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    lines = [f"{what} {name!r}." + (f" Did you mean {near[0]!r}?" if near else "")]
    lines.append(f"  known: {', '.join(known) or 'none'}")
    if hint:
        lines.append(f"  {hint}")
    return UnknownNameError("\n".join(lines))


def shown(value: object, most: int = 200) -> str:
    """A value as an error shows it: its repr, cut where it is long."""
    if isinstance(value, int) and value.bit_length() > _BITS:  # Python refuses to write out thousands of digits
        return f"a number of {int(value.bit_length() * 0.30103) + 1} digits or so"
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        return f"a {type(value).__name__} too large to show"
    return text if len(text) <= most else f"{text[: most - 3]}..."
