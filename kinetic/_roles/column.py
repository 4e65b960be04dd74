"""What a column says of itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from kinetic.errors import OptionError

KINDS = ("energy", "error", "count", "label", "index", "score")
BETTER = ("higher", "lower", "neither")


def _one_of(allowed: tuple[str, ...]) -> Any:
    def check(instance: Column, attribute: attrs.Attribute[str], value: Any) -> None:
        if value not in allowed:
            raise OptionError(
                f"column {instance.name!r}: {attribute.name!r} must be one of {', '.join(allowed)}: {value!r}"
            )

    return check


@attrs.frozen
class Column:
    """What one column, or one value of a whole set, means. Tables, evidence, report and docs ask it.

    Args:
        name: of the column.
        says: what it is, in one sentence; a report repeats it.
        kind: `energy`, which is correlated with every score; `score`, an outcome; `error`, a numerical one; `count`;
            `label`, a yes or no, a class or a setting; `index`, the number of a data point.
        unit: of the numbers, in words; empty where they have none.
        better: `higher`, `lower` or `neither`.
        main: whether short tables, correlations and pictures show it; all tables of numbers do.
        mean: what its mean over samples is called among the values of its metric, where that is not its own name.
    """

    name: str
    says: str = ""
    kind: str = attrs.field(default="score", validator=_one_of(KINDS))
    unit: str = ""
    better: str = attrs.field(default="neither", validator=_one_of(BETTER))
    main: bool = True
    mean: str | None = None

    @property
    def value(self) -> str:
        """The name of its mean."""
        return self.mean or self.name


def described(columns: Iterable[Column], present: Mapping[str, str]) -> dict[str, Column]:
    """The columns that there are, those that say what they are first, in the order in which they do.

    Args:
        columns: the descriptions.
        present: `{name: kind}` of what there is, the kind for those that say nothing.
    """
    known = {column.name: column for column in columns if column.name in present}
    return known | {name: Column(name, kind=kind) for name, kind in present.items() if name not in known}
