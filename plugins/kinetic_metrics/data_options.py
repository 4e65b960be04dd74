"""Options that metrics share: data sets large enough, data that were held out, numbers up to their size, times."""

from __future__ import annotations

from typing import Any

import attrs

from kinetic import Dataset, Metric, Samples, as_dataset, options
from kinetic.errors import OptionError, ShapeError

_TIMES = "a list of numbers > 0 and < 1, all different to six digits"


def dataset(doc: str, at_least: int = 1, needed_for: str = "") -> Any:
    """A data set, or a tensor of its points, of `at_least` or more; an error says what these are `needed_for`."""
    option = options.component(Dataset, converter=as_dataset, doc=doc)

    def enough(metric: Any, attribute: attrs.Attribute[Any], data: Any) -> None:
        if len(data) < at_least:
            purpose = f", for {needed_for}" if needed_for else ""
            raise OptionError(f"{attribute.name!r} must hold {at_least} points or more{purpose}: {len(data)}")

    option.validator(enough)
    return option


def held_out_dataset() -> Any:
    """Data like those of the option `train`, which stands before it; a recipe's own `[data]` does not fill it in."""
    option = options.component(Dataset, None, converter=as_dataset, doc="data it was not trained on; must be given")

    def unseen(metric: Any, attribute: attrs.Attribute[Any], data: Any) -> None:
        if data is None or data is metric.train:
            raise OptionError(
                f"{attribute.name!r} must be a dataset of points that the model was not trained on\n"
                f'  As in {attribute.name} = {{ name = "tensor-file", path = "PATH" }}'
            )
        ours, theirs = tuple(metric.train.event_shape), tuple(data.event_shape)
        if ours != theirs:
            raise ShapeError(f"the points of {attribute.name!r} have shape {theirs}, those of 'train' {ours}")

    option.validator(unseen)
    return option


def up_to_size(of: str, default: int, *, at_least: int = 1, but: int = 0, doc: str = "") -> Any:
    """A whole number up to the size of the data set of another option, or `but` below it."""
    option = options.integer(default, at_least=at_least, doc=doc)

    def within(metric: Any, attribute: attrs.Attribute[Any], value: int) -> None:
        most = len(getattr(metric, of)) - but
        if value > most:
            size = f"the size of {of!r}" + (f" less {but}" if but else "")
            raise OptionError(f"{attribute.name!r} must be an int from {at_least} to {most}, {size}: {value}")

    option.validator(within)
    return option


def times(default: tuple[float, ...]) -> Any:
    """Times in (0, 1), all different in the six digits that columns are named by; a recipe gives a list."""
    option: Any = attrs.field(
        default=default,
        converter=lambda value: tuple(value) if isinstance(value, list) else value,
        metadata={options.BOUND: _TIMES, options.DOC: "when to look"},
    )

    def inside(metric: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        listed = isinstance(value, tuple) and all(isinstance(t, float) and 0 < t < 1 for t in value)
        if not listed or len({f"{t:g}" for t in value}) < len(value):
            raise OptionError(f"{attribute.name!r} must be {_TIMES}: {value!r}")

    option.validator(inside)
    return option


def check_shapes(metric: Metric, samples: Samples) -> None:
    """Refuse samples that are not of the shape of the points of each data set among the options of the metric."""
    ours = tuple(samples.x.shape[1:])
    for field in attrs.fields(type(metric)):
        data = getattr(metric, field.name)
        if isinstance(data, Dataset) and ours != data.event_shape:
            raise ShapeError(f"samples have shape {ours}, the points of {field.name!r} {tuple(data.event_shape)}")
