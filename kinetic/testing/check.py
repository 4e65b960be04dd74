"""A named check, the error it raises, and the list of those there are."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

import attrs
from torch import Tensor

from kinetic._roles.component import Component
from kinetic._roles.metric import Samples
from kinetic.errors import CheckError, OptionError
from kinetic.testing.globals import fenced

EVERY = "every"
"""What the checks are of that all roles share."""


def _shape(given: Sequence[int] | None) -> tuple[int, ...] | None:
    return None if given is None else tuple(int(size) for size in given)


@attrs.frozen(eq=False)
class Allowances:
    """What the checks are given with a component, and what they let pass.

    Args:
        condition: `(6, ...)`, what the six samples are asked to be, for a field that cannot do without.
        tolerance: relative, of a row alone beside the same row in a batch; by default that of the dtype.
        samples: eight or more that a metric can score.
        event_shape: of what feature spaces and metrics are given, without the number of samples.
        steps: the numbers of steps that a grid is asked for; it may refuse some with an `OptionError`.
    """

    condition: Tensor | None = None
    tolerance: float | None = None
    samples: Samples | None = None
    event_shape: tuple[int, ...] | None = attrs.field(default=None, converter=_shape)
    steps: tuple[int, ...] = attrs.field(default=(1, 2, 7, 50), converter=tuple)

    def within(self, otherwise: float) -> float:
        """The tolerance asked for, or this one."""
        return otherwise if self.tolerance is None else self.tolerance


Function = Callable[[Any, Allowances], None]
Of = TypeVar("Of", bound=Function)
_REGISTERED: dict[str, list[Function]] = {}


def promised(role: str) -> Callable[[Of], Of]:
    """Decorates the check `check_NAME(component, allow)` of a role; its docstring is the promise, in one sentence."""

    def add(function: Of) -> Of:
        _REGISTERED.setdefault(role, []).append(function)
        return function

    return add


def registered(role: str) -> tuple[Function, ...]:
    """The checks of a role in their order, those of every component at the end."""
    return (*_REGISTERED.get(role, ()), *_REGISTERED[EVERY])


def name_of(function: Function) -> str:
    """What a check is called: its function without `check_`."""
    return function.__name__.removeprefix("check_")


def promise_of(function: Function) -> str:
    """The promise that a check holds a component to, one sentence."""
    return " ".join((inspect.getdoc(function) or "").split())


@attrs.frozen(eq=False)
class Check:
    """One promise of a component, and what holds it to it.

    `str(check)` is its name, `check()` and `check.run()` carry it out.

    Args:
        name: what it is called, as in `x0_kept`.
        promise: what the component promises, one sentence.
        component: who does.
        expected: why this component need not keep it; empty where it must.
    """

    name: str
    promise: str
    component: Component = attrs.field(repr=False)
    expected: str
    _function: Function = attrs.field(repr=False)
    _allow: Allowances = attrs.field(repr=False)

    def run(self) -> None:
        """Hold the component to the promise.

        Raises:
            CheckError: it breaks it; or it was expected to, and keeps it.
        """
        if not self.expected:
            self._held()
            return
        try:
            self._held()
        except CheckError:
            return
        raise CheckError(
            f"{type(self.component).__name__} breaks {self.name!r}, as expected ({self.expected})",
            "it keeps it",
            f"Take {self.name!r} out of what is expected.",
        )

    def __call__(self) -> None:
        """`run()`."""
        self.run()

    def __str__(self) -> str:
        return self.name

    def _held(self) -> None:
        try:
            with fenced():
                self._function(self.component, self._allow)
        except (CheckError, KeyboardInterrupt):
            raise
        except Exception as error:  # a stranger's component may raise anything
            raise CheckError(
                f"{type(self.component).__name__}: {self.promise[:-1]}",
                f"it raised {type(error).__name__}: {error}",
                f"Look at {_line(error)}.",
            ) from error


def say(holds: bool, component: Any, expected: str, came: str, remedy: str) -> None:
    """Raise a `CheckError` unless the promise holds."""
    if not holds:
        broken(component, expected, came, remedy)


def broken(component: Any, expected: str, came: str, remedy: str) -> NoReturn:
    """The component broke a promise: `expected` and `came` are said after its name."""
    raise CheckError(f"{type(component).__name__} {expected}", came, remedy)


def allowances(role: str, given: Mapping[str, Any]) -> Allowances:
    """Those that were given, each of which there is."""
    known = [field.name for field in attrs.fields(Allowances)]
    for name in given:
        if name not in known:
            raise OptionError(f"checks of a {role} take no {name!r}; they take {', '.join(known)} and expected")
    return Allowances(**given)


def _line(error: BaseException) -> str:
    trace = error.__traceback__
    where = "unknown"
    while trace is not None:
        code = trace.tb_frame.f_code
        with contextlib.suppress(AttributeError):
            if "torch" not in code.co_filename:
                where = f"{code.co_filename}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return where
