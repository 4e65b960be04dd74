"""The differences between arms as one picture: effect and interval of each, its views beside each other."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from kinetic._evaluate.views import CONTROL, DENOISED, PLAIN
from kinetic._report import canvas
from kinetic._report.differences import Difference, main_differences
from kinetic._report.drawable import Drawable

_VIEWS = {PLAIN: ("o", "full", "#2a5d9f"), DENOISED: ("o", "none", "#c2571a"), CONTROL: ("|", "full", "#6b7280")}
_PANELS = 6  # pairs of arms that are drawn


def forest(run: Drawable) -> canvas.Picture | None:
    """Every main difference with its interval, in units of what a difference of one is worth."""
    pairs: dict[tuple[str, str], list[Difference]] = {}
    for each in main_differences(run):
        if each.scale > 0:
            pairs.setdefault(each.arms, []).append(each)
    if not pairs:
        return None
    drawn = dict(list(pairs.items())[:_PANELS])
    rows = max(map(len, drawn.values()))
    size = (4.35 if len(drawn) > 1 else canvas.WIDE, 0.75 + 0.27 * rows)
    figure, axes = canvas.panels(len(drawn), 2, size)
    for axis, (arms, differences) in zip(axes, drawn.items(), strict=True):
        _panel(axis, differences)
        axis.set_title(" against ".join(arms), fontsize=8)
    handles, labels = max((axis.get_legend_handles_labels() for axis in axes), key=lambda each: len(each[1]))
    if len(labels) > 1:
        figure.legend(handles, labels, ncols=3, loc="outside upper center", frameon=False, fontsize=8)
    caption = (
        "Effect and 95% interval of each difference, in standard deviations of the baseline's samples; of a score of "
        "the set, as a share of the baseline's. Bold: what its views say together is lower or higher."
    )
    if len(pairs) > len(drawn):
        caption += f" The first {len(drawn)} of {len(pairs)} pairs of arms."
    return canvas.picture(figure, "What changed", caption, f"Differences of {len(drawn)} pairs of arms with intervals.")


def _panel(axis: Axes, differences: Sequence[Difference]) -> None:
    views = [view for view in _VIEWS if any(view in each.views for each in differences)]
    labelled: set[str] = set()
    for i, each in enumerate(differences):
        rows = {view: row for view in views if (row := each.views.get(view)) and row["value"] is not None}
        for j, (view, row) in enumerate(rows.items()):
            marker, style, colour = _VIEWS[view]
            y, label = -i - 0.22 * (j - (len(rows) - 1) / 2), None if view in labelled else view
            labelled.add(view)
            axis.plot([row["value"] / each.scale], [y], marker, fillstyle=style, color=colour, ms=4.5, label=label)
            if row.get("low") is not None and row.get("high") is not None:
                axis.plot([row["low"] / each.scale, row["high"] / each.scale], [y, y], color=colour, lw=1.3)
    axis.axvline(0, color=canvas.INK, lw=0.8)
    axis.set_yticks([-i for i in range(len(differences))], [each.label for each in differences])
    for tick, each in zip(axis.get_yticklabels(), differences, strict=True):
        tick.set_fontweight("bold" if each.mark == "clear" else "normal")
    axis.set_ylim(-len(differences) + 0.4, 0.6)
    axis.xaxis.set_major_locator(MaxNLocator(5))
    axis.xaxis.set_major_formatter(lambda x, position: f"{x:g}")
