"""How objects show themselves in a console and in a notebook: one card of a few lines, as text and as HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, final

import attrs

from kinetic._terminal import printable
from kinetic.errors import KineticError, shown

if TYPE_CHECKING:
    from rich.console import RenderableType

LINES = 10
"""Of a card, its title among them."""
_WIDE = 120  # characters of a line
_VALUE = 60  # characters of a value among others
_CALL = 240  # characters of a call; a longer one is told option by option
_ITEMS = 4  # of a list among others
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_STYLES = "text-align:left;vertical-align:top;padding:0 .8em 0 0"


@final
@attrs.frozen
class Card:
    """What an object says of itself.

    Args:
        title: what it is.
        facts: names and values, a line each; as many are shown as make `LINES` lines with the title.
        inline: whether it is told as the call that makes it, `Euler(steps=50)`, where that is short.
    """

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    inline: bool = False

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """The facts that are shown, each in one line; the last says how many more there are."""
        few = self.facts if len(self.facts) < LINES else self.facts[: LINES - 2]
        more = len(self.facts) - len(few)
        told = ((one_line(name, _VALUE), one_line(value, _WIDE)) for name, value in few)
        return (*told, *((("...", f"and {more} more"),) if more else ()))

    @property
    def call(self) -> str:
        """As the call that makes it: `Euler(steps=50)`."""
        return f"{self.title}({', '.join(f'{name}={value}' if name else value for name, value in self.facts)})"

    @property
    def text(self) -> str:
        """As plain text, in at most `LINES` lines."""
        if self.inline and len(self.call) <= _CALL:
            return self.call
        width = max((len(name) for name, _ in self.lines), default=0)
        lines = (f"  {name:{width}}  {value}" for name, value in self.lines)
        return "\n".join((one_line(self.title, _WIDE), *lines))

    @property
    def html(self) -> str:
        """As HTML, in which every word is text: no name or value is markup, a script or a link."""
        from markupsafe import Markup

        row = Markup('<tr><th style="{0}">{1}</th><td style="{0}">{2}</td></tr>')
        rows = Markup("").join(row.format(_STYLES, name, value) for name, value in self.lines)
        title = one_line(self.title, _WIDE)
        return str(Markup("<div><strong>{}</strong><table>{}</table></div>").format(title, rows))

    def rich(self) -> RenderableType:
        """For a console of rich."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        if self.text == self.call:
            return Text(self.call)
        grid = Table.grid(padding=(0, 2))
        for name, value in self.lines:
            grid.add_row(Text(f"  {name}", style="dim"), Text(value))
        return Group(Text(one_line(self.title, _WIDE), style="bold"), grid)


class Displayed:
    """What shows itself by a card: by default what it was made of, in one line.

    An attrs class that is one says `repr=False`, since attrs would write a `__repr__` of its own.
    """

    __slots__ = ()

    def _card(self) -> Card:
        """What it says of itself; a card may read files, and whatever is wrong with them is said on it."""
        return Card(type(self).__name__, tuple((name, brief(value)) for name, value in _options(self)), inline=True)

    def __repr__(self) -> str:
        return _card_of(self).text

    def __rich__(self) -> RenderableType:
        return _card_of(self).rich()

    def __rich_repr__(self) -> Iterator[tuple[str, ...]]:
        for name, value in _card_of(self).facts:
            yield (name, _Words(value)) if name else (_Words(value),)

    def _repr_html_(self) -> str:
        return _card_of(self).html


class _Words(str):
    """Text that stands for a value where rich draws what a value is made of, so that it is not quoted."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def brief(value: Any) -> str:
    """A value in a few words: of a tensor or an array its shape, of a network its class, of a long text its head."""
    if isinstance(value, Displayed):
        card = _card_of(value)
        return one_line(card.call if card.inline else card.text, 2 * _VALUE)
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and len(shape) > 0:
        kind = str(getattr(value, "dtype", "")).removeprefix("torch.")
        return f"{type(value).__name__}({' x '.join(map(str, shape))} {kind})"
    if callable(getattr(value, "parameters", None)):  # a network
        return f"{type(value).__name__}(...)"
    if type(value) in (list, tuple):
        return f"[{', '.join(_few(map(brief, value), len(value)))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(_few((f'{key}: {brief(each)}' for key, each in value.items()), len(value)))}}}"
    return one_line(_ADDRESS.sub("", shown(value)), _VALUE)


def one_line(text: str, most: int) -> str:
    """The text in one line of so many characters, where what would steer a terminal is shown as its escape."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= most else f"{line[: most - 3]}..."


def several(items: Iterable[str], most: int = _ITEMS) -> str:
    """The first few, and how many more there are: `kpe 44.9, bending 2.6 and 3 more`."""
    every = [*items]
    more = len(every) - most
    return ", ".join(every) if more <= 0 else f"{', '.join(every[:most])} and {more} more"


def _few(items: Iterable[str], count: int) -> Iterator[str]:
    for i, item in enumerate(items):
        if i == _ITEMS and count > _ITEMS:
            yield "..."
            return
        yield item


def _card_of(value: Displayed) -> Card:
    try:
        return value._card()
    except KineticError as error:  # a folder that is damaged or gone: whoever asks what it is learns why
        return Card(type(value).__name__, ((type(error).__name__, str(error)),))


def _options(value: Any) -> Iterator[tuple[str, Any]]:
    """What an attrs object was made of, by the names it is made with."""
    for field in attrs.fields(type(value)) if attrs.has(type(value)) else ():
        if field.init and field.repr and hasattr(value, field.name):
            yield field.alias or field.name, getattr(value, field.name)
