"""By what protocol a score was made, and whether two scores share one."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from kinetic._evaluate.checked_data import Checked, datasets
from kinetic._roles.component import Component
from kinetic._roles.features import FeatureSpace
from kinetic._roles.metric import Metric
from kinetic._roles.tree import options_given, unwrap

_ID = 12  # hexadecimal digits of it
_CONTENT = "content"


def protocol(metric: Metric, samples: int, spaces: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What two scores must share to be compared; nothing for a metric without a feature space.

    Args:
        metric: the metric, its data sets looked at.
        samples: how many it saw.
        spaces: `{option: {...}}`, what is known of the features of each of its spaces, `seen` of them.
    Returns:
        `metric`, its class; `options`, those that are plain values, a file by the SHA-256 of its bytes; `samples`;
        `spaces`, for each its class (`network`), `options`, `preprocessing`, `weights` (SHA-256), `dtype` and `width`;
        `references`, for each data set its `points` and their `content` (SHA-256, None where not all were read); and
        `id`, of all of these.
    """
    if not spaces:
        return {}
    made = {
        "metric": type(metric).__name__,
        "options": {name: _by_content(value) for name, value in _plain(metric)},
        "samples": samples,
        "spaces": {name: dict(said) for name, said in spaces.items()},
        "references": {name: _reference(data) for name, data in datasets(metric).items()},
    }
    words = json.dumps(made, sort_keys=True, default=repr)
    return {"id": hashlib.sha256(words.encode()).hexdigest()[:_ID], **made}


def of_space(space: FeatureSpace, weights: str | None, dtype: str, width: int) -> dict[str, Any]:
    """What a protocol says of a feature space; where its weights lie is no part of it."""
    chosen = {name: value for name, value in _plain(space) if not _is_path(value)}
    prepared = space.preprocessing
    network = type(unwrap(space)).__name__
    said = {"network": network, "options": chosen, "preprocessing": prepared, "weights": weights}
    return {**said, "dtype": dtype, "width": width}


def unlike(one: Mapping[str, Any], other: Mapping[str, Any], *, but: tuple[str, ...] = ()) -> str:
    """Why two scores may not be compared: in what their protocols differ. Empty where they share one.

    Args:
        one, other: of `FinishedRun.protocols[arm][metric]`, or of the `protocols.json` of `kinetic score`. The contents
            of references are compared where both are known.
        but: keys that may differ, such as `samples`.
    """
    mine, theirs = (dict(_flat(each)) for each in (one, other))
    said = []
    for key in dict.fromkeys((*mine, *theirs)):
        a, b = mine.get(key), theirs.get(key)
        unknown = key.endswith(f".{_CONTENT}") and None in (a, b)
        if a != b and not unknown and key.split(".")[0] not in ("id", *but):
            said.append(f"{key}: {_short(a)} and {_short(b)}")
    return "; ".join(said)


def in_words(made: Mapping[str, Any]) -> str:
    """A protocol in a sentence; nothing of none."""
    if not made:
        return ""
    spaces = [
        f"{name} {said['network']} ({said['width']} wide, {said['dtype']}"
        + (f", weights {said['weights'][:_ID]})" if said["weights"] else ")")
        for name, said in made["spaces"].items()
    ]
    references = [f"{name} of {said['points']} points" for name, said in made["references"].items()]
    parts = [f"{made['samples']} samples", *references, *spaces]
    return f"Protocol {made['id']}: {', '.join(parts)}."


def _flat(made: Mapping[str, Any], head: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in made.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{head}{key}.")
        else:
            yield f"{head}{key}", list(value) if isinstance(value, tuple) else value


def _short(value: Any) -> str:
    words = "nothing" if value is None else str(value)
    return words if len(words) <= 4 * _ID else f"{words[: 4 * _ID]}..."


def _reference(data: Any) -> dict[str, Any]:
    return {"points": len(data), _CONTENT: data.content if isinstance(data, Checked) else None}


def _plain(component: Component) -> Iterator[tuple[str, Any]]:
    plain = (str, int, float, bool, type(None))
    for name, value in options_given(unwrap(component)).items():
        if isinstance(value, plain):
            yield name, value
        elif isinstance(value, tuple | list | Mapping) and "object at" not in repr(value):
            yield name, json.loads(json.dumps(value, default=repr))


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and os.path.exists(value)


def _by_content(value: Any) -> Any:
    if not (_is_path(value) and os.path.isfile(value)):
        return value
    with open(value, "rb") as file:
        return f"SHA-256 {hashlib.file_digest(file, 'sha256').hexdigest()}"
