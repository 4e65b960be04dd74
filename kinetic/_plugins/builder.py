"""Tables to components: what a recipe or a command line names, made, and made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, final

import attrs

from kinetic import options
from kinetic._plugins.registry import Registry, describe, role_of
from kinetic._roles.component import Component
from kinetic.errors import KineticError, OptionError, RecipeError, shown, unknown, within
from kinetic.networks import import_from_here

CODE = "module"
"""The option of a component that imports code (`Component.imports_code`) which names it."""


class NeedsCodeError(RecipeError):
    """A recipe with a component whose code a person at the command line must name."""


def named(value: Any) -> Any:
    """A component's table: a string is its name; anything else is itself."""
    return {"name": value} if isinstance(value, str) else value


def code_of(words: str) -> tuple[str, str]:
    """The name of the components that take code, and the code, from `module:PACKAGE.MODULE:ATTRIBUTE`."""
    name, _, code = words.partition(":")
    if not (name and code.partition(":")[2]):
        raise RecipeError(f"--field must be module:PACKAGE.MODULE:ATTRIBUTE: {shown(words)}")
    import_from_here()
    return name, code


@final
@attrs.frozen(eq=False)
class Defaults:
    """What stands in for components and prompts that a table leaves out.

    Args:
        data: of required data sets.
        reference: of data sets that are called `reference`; `data` where there is none.
        features: of all feature spaces of metrics.
        prompts: of options that are prompts, one for each class; see `options.texts`.
    """

    data: Any = None
    reference: Any = None
    features: Any = None
    prompts: tuple[str, ...] | None = None

    def fill(self, role: str, field: attrs.Attribute[Any], given: Mapping[str, Any]) -> Any:
        """What stands for an option that a table of a component of `role` leaves out, or None."""
        if field.metadata.get(options.PROMPTS):
            return self.prompts
        cls, instead = field.metadata.get(options.COMPONENT), field.metadata.get(options.UNLESS)
        if cls is None or (instead and given.get(instead) is not None):
            return None
        kind = role_of(cls)
        if kind == "features":
            return self.features if role == "metric" else None
        if kind != "dataset":
            return None
        if field.alias == "reference" and self.reference is not None:
            return self.reference
        return self.data if instead or field.default is attrs.NOTHING else None


@final
@attrs.frozen(eq=False)
class ComponentBuilder:
    """Builds components from tables, and equal ones once: what two metrics or arms have in common is one object.

    Args:
        registry: where names are looked up.
        finish: given each new component, returns what stands for it, such as a feature space that keeps its features.
        code: `{role: (name, words)}`, code that a person at the command line supplies: what the option `module` of
            components of that role and name is.
    """

    registry: Registry
    finish: Callable[[Any], Any] = lambda component: component
    code: Mapping[str, tuple[str, str]] = attrs.field(factory=dict)
    _built: dict[Any, tuple[Any, ...]] = attrs.field(factory=dict, init=False, repr=False)

    def build(
        self, role: str, table: Mapping[str, Any] | str, defaults: Defaults | None = None, imports_code: bool = False
    ) -> Any:
        """A component: `name` picks the class, the other keys are its options.

        Args:
            role: what it is to be.
            table: `{"name": ..., option: value, ...}`, or the name alone. Options that are components are the same.
            defaults: for component options that the table leaves out.
            imports_code: whether a person at the command line named it, who may import code. Not what is inside it.
        Raises:
            UnknownNameError: the name or an option is not known.
            OptionError: an option is missing, of the wrong type or out of range.
        """
        name, cls, given = self._named(role, named(table))
        if cls.imports_code and not imports_code:
            given[CODE] = self._supplied(role, name, given)
        with within(f"{role} {name!r}"):
            for key, option in _components(cls):
                if isinstance(given.get(key), Mapping | str):
                    given[key] = self.build(option, given[key], defaults)
        self._fill(role, name, cls, given, defaults or Defaults())
        identity = (cls, *sorted((key, _identity(value)) for key, value in given.items()))
        if identity not in self._built:  # what is in it is kept too, so that no other object takes on its id
            self._built[identity] = (self.finish(_made(role, name, cls, given)), *given.values())
        return self._built[identity][0]

    def _supplied(self, role: str, name: str, given: Mapping[str, Any]) -> str:
        """The code that the command line supplies for such a component; a recipe may not name it."""
        who, words = self.code.get(role, ("", ""))
        if who != name or CODE in given:
            where = "kinetic run" if role == "field" else "kinetic score"
            raise NeedsCodeError(
                f"{role} {name!r} imports code that its options name, which no recipe may: make it in Python, or on a "
                f"command line with --{role} {name}:PACKAGE.MODULE:ATTRIBUTE (`{where}`). A recipe leaves out {CODE!r}."
            )
        return words

    def _named(self, role: str, table: Any) -> tuple[str, type[Component], dict[str, Any]]:
        """The name, its class, and the options of a table, each of which the class knows."""
        if not isinstance(table, Mapping):
            raise OptionError(f"a {self.registry.called(role)} must be a table or a name: {shown(table)}")
        given = dict(table)
        name = given.pop("name", None)
        if not isinstance(name, str):
            known = ", ".join(sorted(self.registry.classes.get(role, {})))
            raise OptionError(f"a {self.registry.called(role)} needs a `name`, one of: {known}")
        cls = self.registry.get(role, name)
        known_options = [field.alias for field in attrs.fields(cls) if field.init]
        for key in given:
            if key not in known_options:
                raise unknown(f"{role} {name!r} has no option", key, known_options)
        return name, cls, given

    def _fill(self, role: str, name: str, cls: type[Component], given: dict[str, Any], defaults: Defaults) -> None:
        """Add what is left out, or say what is missing."""
        for field in attrs.fields(cls):
            key, instead = field.alias, field.metadata.get(options.UNLESS)
            if not field.init or key in given:
                continue
            default = defaults.fill(role, field, given)
            if default is not None:
                given[key] = default
            elif field.default is attrs.NOTHING or (instead and given.get(instead) is None):
                either = f"{key!r} or {instead!r}" if instead else f"{key!r}"
                raise OptionError(
                    f"{role} {name!r} needs the option {either}: {describe(field)}\n"
                    f"  `kinetic show {role} {name}` lists its options."
                )


def _components(cls: type[Component]) -> Iterator[tuple[str, str]]:
    """The options that are components, each with its role."""
    for field in attrs.fields(cls):
        if field.init and options.COMPONENT in field.metadata:
            yield field.alias, role_of(field.metadata[options.COMPONENT])


def _made(role: str, name: str, cls: type[Component], given: Mapping[str, Any]) -> Component:
    with within(f"{role} {name!r}"):
        try:
            return cls(**given)
        except KineticError:
            raise
        except (TypeError, ValueError) as error:
            raise OptionError(str(error.args[0] if error.args else error)) from error


def _identity(value: Any) -> Any:
    """Equal for values that make the same component."""
    if isinstance(value, Mapping):
        return tuple(sorted((key, _identity(item)) for key, item in value.items()))
    if isinstance(value, list):
        return ("list", *map(_identity, value))
    return repr(value) if isinstance(value, str | int | float | bool | None) else f"object {id(value)}"
