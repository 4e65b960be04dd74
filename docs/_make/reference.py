"""Writes docs/reference.md: every component with its options and columns, the Runner's columns, errors, commands.

`python docs/_make/reference.py` writes it; a test holds the page to what this gives.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import typer

from kinetic import Registry, errors, registry
from kinetic._cli import app
from kinetic._plugins.docstring import arguments, prose
from kinetic._plugins.registry import describe
from kinetic._roles.column import Column
from kinetic._sample.columns import OWN
from kinetic.errors import KineticError

PAGE = Path(__file__).parent.parent / "reference.md"
HEAD = """# Reference

Every component that kinetic ships with its options and columns, the columns of every run, errors and commands.
Written by `python docs/_make/reference.py` from the code; `kinetic show ROLE NAME` prints it for what is installed.
"""


def page() -> str:
    """The whole page."""
    known = registry()
    parts = [HEAD, *_components(known), _own_columns(), _errors(), *_commands()]
    return "\n".join(parts).rstrip() + "\n"


def _components(known: Registry) -> Iterator[str]:
    ours = {plugin.name for plugin in known.plugins if plugin.is_ours}
    for role, classes in known.classes.items():
        yield f"## {role.capitalize()}\n"
        for name, cls in sorted(classes.items()):
            if known.origins[role, name] in ours:
                yield _component(role, name, cls)


def _component(role: str, name: str, cls: type[Any]) -> str:
    lines = [f"### {role} `{name}`", "", f"`{cls.__module__}.{cls.__name__}`. {_first(prose(cls))}", ""]
    words = arguments(cls)
    options = [field for field in attrs.fields(cls) if field.init]
    if options:
        lines += ["| option | default | takes |", "|---|---|---|"]
        for field in options:
            option = field.alias or field.name
            default = "required" if field.default is attrs.NOTHING else f"`{_default(field.default)}`"
            lines.append(f"| `{option}` | {default} | {_cell(describe(field, words.get(option)))} |")
        lines.append("")
    columns = _columns_of(role, cls)
    return "\n".join([*lines, *_column_table(columns)] if columns else lines)


def _columns_of(role: str, cls: type[Any]) -> tuple[Column, ...]:
    """What a component says of its columns: with its defaults a meter or a solver, without options a metric."""
    described = inspect.getattr_static(cls, "described", None)
    try:
        if role in {"meter", "solver"}:
            return tuple(cls().described)
        return tuple(described.fget(object.__new__(cls))) if isinstance(described, property) else ()
    except (AttributeError, TypeError, KineticError):  # it takes options to know
        return ()


def _column_table(columns: tuple[Column, ...]) -> list[str]:
    rows = [f"| `{each.name}` | {each.kind} | {each.unit or ''} | {_cell(each.says)} |" for each in columns]
    return ["| column | kind | unit | says |", "|---|---|---|---|", *rows, ""]


def _own_columns() -> str:
    lead = (
        "## Columns of every run\n\nWhat the Runner adds, whatever the meters; some only where they mean something.\n"
    )
    return "\n".join([lead, *_column_table(OWN)])


def _errors() -> str:
    rows = []
    for name, cls in vars(errors).items():
        if inspect.isclass(cls) and issubclass(cls, KineticError):
            bases = ", ".join(f"`{base.__name__}`" for base in cls.__bases__)
            rows.append(f"| `{name}` | {bases} | {_cell(_first(cls.__doc__ or ''))} |")
    lead = "## Errors\n\nOf `kinetic.errors`. The command line prints them as one message and ends with status 2.\n"
    return "\n".join([lead, "| error | is also | when |", "|---|---|---|", *rows, ""])


def _commands() -> Iterator[str]:
    yield "## Commands\n"
    group: Any = typer.main.get_command(app)
    for name, command in sorted(group.commands.items()):
        yield f"### `kinetic {name}`\n\n{_cell(_first(command.help or '')).rstrip()}\n"
        rows = []
        for each in command.params:
            shown = each.opts if each.param_type_name == "option" else [each.name]
            rows.append(f"| {' '.join(f'`{word}`' for word in shown)} | {_cell(getattr(each, 'help', '') or '')} |")
        if rows:
            yield "\n".join(["| argument or option | what |", "|---|---|", *rows, ""])


def _default(value: Any) -> str:
    value = value.factory if isinstance(value, attrs.Factory) else value
    return getattr(value, "__name__", None) or repr(value)


def _first(text: str) -> str:
    return inspect.cleandoc(text).partition("\n\n")[0].replace("\n", " ")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE}: {len(page().splitlines())} lines")
