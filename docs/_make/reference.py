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

from kinetic import FeatureSpace, Registry, errors, options, registry
from kinetic._cli import app
from kinetic._plugins.builder import ComponentBuilder, Defaults
from kinetic._plugins.docstring import arguments, prose
from kinetic._plugins.registry import describe
from kinetic._roles.column import Column
from kinetic._sample.columns import OWN
from kinetic.errors import KineticError

PAGE = Path(__file__).parent.parent / "reference.md"
HEAD = """# Reference

Every component that kinetic ships with its options and columns, the columns of every run, errors and commands.
Columns that end in `_features` or `_per_dim` are there where the option is set that adds them.
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
                yield _component(role, name, cls, known)


def _component(role: str, name: str, cls: type[Any], known: Registry) -> str:
    lines = [f"### {role} `{name}`", "", f"`{cls.__module__}.{cls.__name__}`. {_first(prose(cls))}", ""]
    words = arguments(cls)
    taken = [field for field in attrs.fields(cls) if field.init]
    if taken:
        lines += ["| option | default | takes |", "|---|---|---|"]
        for field in taken:
            option = field.alias or field.name
            default = "required" if field.default is attrs.NOTHING else f"`{_default(field.default)}`"
            lines.append(f"| `{option}` | {default} | {_cell(describe(field, words.get(option)))} |")
        lines.append("")
    columns = _columns_of(role, name, cls, known)
    return "\n".join([*lines, *_column_table(columns)] if columns else lines)


def _columns_of(role: str, name: str, cls: type[Any], known: Registry) -> tuple[Column, ...]:
    """What a component says of its columns: without options where it can, else with all that add some."""
    described = inspect.getattr_static(cls, "described", ())
    if isinstance(described, tuple) or role not in {"meter", "solver", "metric"}:
        return described if isinstance(described, tuple) else ()
    table: dict[str, Any] = {"name": name}
    for field in attrs.fields(cls):
        if field.default is attrs.NOTHING and field.init and options.COMPONENT not in field.metadata:
            return ()  # which there are depends on what it is told
        if field.default is False:
            table[field.alias] = True
        elif field.default is None and field.metadata.get(options.COMPONENT) is FeatureSpace:
            table[field.alias] = "pixels"
        elif field.alias == "held_out":
            table[field.alias] = {"name": "digits", "split": "test"}
    builder = ComponentBuilder(known)
    needed = Defaults(data=builder.build("dataset", "digits"), features=builder.build("features", "digits-logits"))
    return tuple(builder.build(role, table, needed).described)


def _column_table(columns: tuple[Column, ...]) -> list[str]:
    rows = [f"| `{each.name}` | {each.kind} | {each.unit or ''} | {_cell(_says(each))} |" for each in columns]
    return ["| column | kind | unit | says |", "|---|---|---|---|", *rows, ""]


def _says(column: Column) -> str:
    return f"{column.says} Its mean is `{column.mean}`." if column.mean else column.says


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
