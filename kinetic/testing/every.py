"""What every component promises, whatever its role."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import torch
from torch import Tensor, nn

from kinetic import options
from kinetic._plugins.docstring import arguments
from kinetic._plugins.registry import role_of
from kinetic._roles.component import Component
from kinetic._roles.tree import options_given, to_device, walk
from kinetic.testing.check import EVERY, Allowances, broken, promised, say
from kinetic.testing.exercise import CPU, MOVED, USES, Answers
from kinetic.testing.globals import random_state, settings
from kinetic.testing.probe import apart, close, copied

_ELSEWHERE = ("not on the expected device", "same device", "at least two devices")  # as torch says it
_FROZEN = "Decorate it with @attrs.frozen(eq=False)."


def _use(component: Component, allow: Allowances, device: torch.device = CPU) -> Answers:
    return USES[role_of(type(component))](component, allow, device)


def _changed(read: Callable[[], Mapping[str, Any]], component: Component, allow: Allowances) -> list[str]:
    """The names of what a use of the component changes, of all that is read before and after."""
    before = read()
    _use(component, allow)
    return [name for name, value in read().items() if value != before[name]]


@promised(EVERY)
def check_frozen(component: Component, allow: Allowances) -> None:
    """The class is a frozen attrs class, decorated itself."""
    cls = type(component)
    say("__attrs_attrs__" in cls.__dict__, component, "is an attrs class", "it is not decorated", _FROZEN)
    own = next((base.__dict__["__setattr__"] for base in cls.__mro__ if "__setattr__" in base.__dict__), None)
    frozen = own is Component.__setattr__ and not hasattr(component, "__dict__")
    came = "its attributes can be set, or it has a __dict__"
    say(frozen, component, "does not change", came, f"{_FROZEN} No __setattr__ and no slots=False.")


@promised(EVERY)
def check_made_anew(component: Component, allow: Allowances) -> None:
    """It can be made anew from its own options, and then has the same."""
    twin = attrs.evolve(component)
    same = type(twin) is type(component) and all(
        _same(value, options_given(twin)[name]) for name, value in options_given(component).items()
    )
    say(same, component, "is what its options make", "made anew it has others", "Converters take their own results.")


@promised(EVERY)
def check_options_described(component: Component, allow: Allowances) -> None:
    """Each option says what it is: by `doc`, or in the `Args:` of the class."""
    cls = type(component)
    words = {name for base in cls.__mro__ if base.__doc__ for name in arguments(base)}
    silent = [
        field.alias
        for field in attrs.fields(cls)
        if field.init and field.name[0] != "_" and not field.metadata.get(options.DOC) and field.alias not in words
    ]
    remedy = "kinetic.options.number(0.5, doc='what it does'), or a line under Args: in the docstring."
    say(not silent, component, "describes its options", f"{', '.join(silent)} says nothing", remedy)


@promised(EVERY)
def check_same_again(component: Component, allow: Allowances) -> None:
    """Asked the same again it answers the same."""
    first = tuple(answer.clone() for answer in _use(component, allow))
    for one, other in zip(first, _use(component, allow), strict=True):
        remedy = "No random numbers but by a generator of a fixed seed; nothing kept from one call to the next."
        say(close(one, other, 0), component, "answers the same again", apart(one, other), remedy)


@promised(EVERY)
def check_random_state(component: Component, allow: Allowances) -> None:
    """The global random numbers of torch, NumPy and Python are neither drawn nor seeded."""
    drawn = _changed(random_state, component, allow)
    remedy = "torch.Generator(device).manual_seed(...), np.random.default_rng(...) or random.Random(...) of its own."
    say(not drawn, component, "leaves the global random state", f"it draws from or seeds {', '.join(drawn)}", remedy)


@promised(EVERY)
def check_settings(component: Component, allow: Allowances) -> None:
    """Settings of the whole process stay: threads, default dtype and device, gradients, determinism, NumPy's errors."""
    changed = _changed(settings, component, allow)
    remedy = "Pass dtype=, device= and threads where they matter, or use a context that puts them back."
    say(not changed, component, "leaves global settings", f"it changes {', '.join(changed)}", remedy)


@promised(EVERY)
def check_options_kept(component: Component, allow: Allowances) -> None:
    """Its options, and the tensors and networks in them, are the same after use."""
    kept = copied(options_given(component))
    _use(component, allow)
    if kept is not None:
        changed = [name for name, value in options_given(component).items() if not _same(value, kept[name])]
        remedy = "What changes is passed in and given back, as `batch.remember` does."
        say(not changed, component, "keeps its options", f"{', '.join(changed)} changed", remedy)


def _same(a: Any, b: Any) -> bool:  # noqa: PLR0911 - one for each kind of option
    """Whether two options hold the same; of what nothing is known, whether they are of one class."""
    if type(a) is not type(b):
        return False
    if isinstance(a, Tensor):
        return a.shape == b.shape and close(a, b, 0)
    if isinstance(a, nn.Module):
        return _same(dict(a.state_dict()), dict(b.state_dict()))
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, Component):
        return _same(options_given(a), options_given(b))
    plain = isinstance(a, str | int | float | bool | bytes)
    return not plain or a == b or a != a  # noqa: PLR0124 - NaN


@promised(EVERY)
def check_device(component: Component, allow: Allowances) -> None:
    """On another device it makes its tensors there."""
    if role_of(type(component)) not in MOVED:
        return
    device = torch.device("cuda" if torch.cuda.is_available() else "meta")  # meta: no numbers, but every operation
    moved = copied(component)
    if moved is None or (device.type == "meta" and not _plain(moved)):
        return
    remedy = "Make tensors with device=x.device; keep no tensor but in an option or attrs.field(init=False)."
    try:
        answers = _use(to_device(moved, device), allow, device)
    except Exception as error:  # on meta, whatever looks at a number cannot go on; that is no fault
        if any(words in str(error) for words in _ELSEWHERE):
            broken(component, "computes where x is", str(error).partition("\n")[0], remedy)
        if device.type == "cuda":
            raise
        return
    places = {str(answer.device.type) for answer in answers}
    say(places <= {device.type}, component, f"answers on {device.type}", f"on {', '.join(places)}", remedy)


def _plain(component: Component) -> bool:
    """Whether everything in it can be moved: a callable that is no network stays where it is."""
    return not any(callable(each) and not isinstance(each, nn.Module | Component) for each in walk(component))
