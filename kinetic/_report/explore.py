"""Energy against outcome, to be touched: each point shows its sample, its energy and its score.

The page draws it without a script, which its policy forbids: the points are a group of radio buttons. Pointing at one,
a tap, or the arrow keys, in the order of the energies, show what belongs to it; only style sheets are at work.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import final

import attrs
import numpy as np
import torch
from matplotlib.ticker import MaxNLocator
from PIL import Image
from torch import Tensor

from kinetic._report import columns as meanings
from kinetic._report.chosen import drawn_of, evenly
from kinetic._report.drawable import Drawable
from kinetic._report.numbers import number
from kinetic._report.prompts import prompt_of, prompts_asked
from kinetic._sample.stored_samples import StoredSamples

_POINTS = 150  # as many as a finger can tell apart
_SIDE = 48  # pixels that an image has at the most
_MARGIN = 0.04  # of the axes, beyond the outermost points
_TICKS = 5

Tick = tuple[float, str]
"""Where on an axis, in percent from the left or from the top, and what stands there."""


@final
@attrs.frozen
class Point:
    """A sample: where it stands, in percent from the left and from the top, its image as PNG in base64, and words."""

    left: float
    top: float
    image: str
    words: tuple[str, ...]

    @property
    def side(self) -> str:
        """Where its words have room."""
        return f"{'w' if self.left > 50 else 'e'} {'n' if self.top > 50 else 's'}"


@final
@attrs.frozen
class Explorer:
    """A scatter of samples: title, how to read it, what its axes are, their ticks, the points from left to right."""

    title: str
    caption: str
    x: str
    y: str
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    points: tuple[Point, ...]


def explorer(run: Drawable, arm: str, columns: Mapping[str, np.ndarray]) -> Explorer | None:
    """The first energy of an arm against the first score; None where it lacks one of them."""
    energies = [name for name in meanings.energies(run, main=True) if name in columns]
    scores = [name for name in map(".".join, meanings.headline(run)) if name in columns]
    if not energies or not scores:
        return None
    x, y = columns[energies[0]], columns[scores[0]]
    finite = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if not len(finite):
        return None
    chosen = finite[evenly(len(finite), _POINTS)]
    chosen = chosen[np.argsort(x[chosen], kind="stable")]
    across, up = _Axis.of(x[chosen]), _Axis.of(y[chosen])
    ids = columns["sample"][chosen]
    images, texts = _images(run.stored(arm), ids), prompts_asked(run, arm)
    points = tuple(
        Point(
            across.percent(x[i]),
            100 - up.percent(y[i]),
            image,
            (f"sample {sample}", *_asked(columns, texts, i), f"{energies[0]} {x[i]:.4g}", f"{scores[0]} {y[i]:.4g}"),
        )
        for i, sample, image in zip(chosen, ids, images, strict=True)
    )
    caption = (
        f"Point at a sample of arm {arm}, tap it, or go from one to the next with the arrow keys."
        f"{drawn_of(len(finite), _POINTS)}"
    )
    flipped = tuple((100 - where, text) for where, text in up.ticks)
    title = f"Sample by sample: {arm}"
    return Explorer(title, caption, meanings.with_unit(run, energies[0]), scores[0], across.ticks, flipped, points)


@final
@attrs.frozen
class _Axis:
    low: float
    high: float

    @classmethod
    def of(cls, values: np.ndarray) -> _Axis:
        low, high = float(values.min()), float(values.max())
        room = _MARGIN * (high - low) or max(abs(low), 1.0) * _MARGIN
        return cls(low - room, high + room)

    def percent(self, value: float) -> float:
        return round(100 * (float(value) - self.low) / (self.high - self.low), 2)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        values = MaxNLocator(_TICKS).tick_values(self.low, self.high)
        return tuple((self.percent(v), number(v)) for v in values if self.low <= v <= self.high)


def _asked(columns: Mapping[str, np.ndarray], texts: Mapping[int, str], i: int) -> tuple[str, ...]:
    """What a sample was asked for: its prompt, or its class."""
    if "class" not in columns:
        return ()
    asked = int(columns["class"][i])
    return (prompt_of(texts[asked]) if asked in texts else f"class {asked}",)


def _images(samples: StoredSamples | Tensor, ids: np.ndarray) -> Sequence[str]:
    """Each sample as a small PNG in base64; empty where they are no images."""
    shape = tuple(samples.shape[1:])
    if len(shape) != 3 or shape[0] not in (1, 3):
        return [""] * len(ids)
    pixels = ((samples[torch.from_numpy(ids)].float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return [_png(image) for image in pixels.permute(0, 2, 3, 1).numpy()]


def _png(image: np.ndarray) -> str:
    picture = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
    picture.thumbnail((_SIDE, _SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, "png")
    return base64.b64encode(buffer.getvalue()).decode()
