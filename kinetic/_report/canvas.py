"""Panels, mosaics of images and pictures: what all figures of the report are drawn on."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import final

import attrs
import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from kinetic._terminal import printable

INK, _GRID = "#1f2430", "#d9dde5"
COLOURS = ("#2a5d9f", "#c2571a", "#2f7d4f", "#8a3d8f", "#b08a00", "#4a6a7c", "#b3344a", "#5a52b5")
WIDE = 8.7  # inches across the page
_PIXELS = 96  # of the page to an inch, so that all figures have one size of text


@final
@attrs.frozen(eq=False)
class Picture:
    """A figure, what it shows, how to read it, and words for those who do not see it."""

    title: str
    caption: str
    alt: str
    figure: Figure

    @property
    def png(self) -> bytes:
        """As the page has it."""
        return _png(self.figure)

    @property
    def width(self) -> int:
        """In pixels of the page."""
        return round(self.figure.get_figwidth() * _PIXELS)


@final
class _Figure(Figure):
    """A figure that a notebook shows without `matplotlib.pyplot`, whose global state nothing here touches."""

    def _repr_png_(self) -> bytes:
        return _png(self)


def panels(
    count: int, across: int, size: tuple[float, float], sharex: bool = False, sharey: bool = False
) -> tuple[Figure, Sequence[Axes]]:
    """Panels of so many inches, less wide where they would not fit the page."""
    across = min(across, count)
    down = -(-count // across)
    wide = min(size[0] * across, WIDE)
    figure = _Figure(figsize=(wide, size[1] * down), facecolor="white")
    figure.set_layout_engine("constrained", w_pad=0.06, h_pad=0.06, wspace=0.03, hspace=0.04)
    FigureCanvasAgg(figure)
    grid = figure.subplots(down, across, squeeze=False, sharex=sharex, sharey=sharey).ravel()
    for axis in grid[:count]:
        axis.tick_params(labelsize=7, colors=INK, length=2.5)
        axis.grid(color=_GRID, lw=0.5)
        axis.set_axisbelow(True)
        axis.xaxis.label.set_fontsize(8)
        axis.yaxis.label.set_fontsize(8)
        for side, spine in axis.spines.items():
            spine.set(visible=side in ("left", "bottom"), color=INK, lw=0.7)
    for axis in grid[count:]:
        axis.set_visible(False)
    return figure, list(grid[:count])


def mosaic(axis: Axes, images: np.ndarray, across: int, words: Sequence[str]) -> None:
    """Images `(n, c, h, w)` in [-1, 1] in rows of `across`, a few words above each."""
    _, channels, height, width = images.shape
    down, gap, head = -(-len(images) // across), max(1, width // 8), max(3, height // 3)
    canvas = np.ones((down * (height + head), across * (width + gap), channels))
    for i, image in enumerate(images):
        top, left = i // across * (height + head) + head, i % across * (width + gap)
        canvas[top : top + height, left : left + width] = np.clip((image.transpose(1, 2, 0) + 1) / 2, 0, 1)
        axis.text(left + width / 2 - 0.5, top - 0.8, words[i], ha="center", va="bottom", fontsize=6.5, color=INK)
    shown = canvas if channels == 3 else canvas[..., 0]
    axis.imshow(shown, cmap=colormaps["gray"], vmin=0, vmax=1, interpolation="nearest")
    axis.set_xticks([])
    axis.set_yticks([])
    axis.grid(visible=False)
    for spine in axis.spines.values():
        spine.set_visible(False)


def picture(figure: Figure, title: str, caption: str, alt: str) -> Picture:
    """The figure as it is shown: every name on it is text, neither mathematics nor an escape."""
    for text in figure.findobj(Text):
        text.set_parse_math(False)  # a name may hold two dollar signs
        text.set_text(printable(text.get_text(), keep="\n"))
    return Picture(title, caption, alt, figure)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=1.75 * _PIXELS)
    return buffer.getvalue()
