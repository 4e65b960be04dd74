"""The figure of a run of `training-curve`: `python -m kinetic_mnist.curve RUN -o FIGURE.png`.

Copying, energy and bending against training steps, a line for each number of training digits. Any run will do whose
arms are of the field `mnist` and whose scores have these values.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, ScalarFormatter

from kinetic import FinishedRun, load_run
from kinetic.errors import StoreError
from kinetic_mnist.nets import CHECKPOINTS

PANELS = (("memorisation", "f_mem", "F_mem"), ("energy", "kpe", "KPE"), ("energy", "bending", "bending"))
"""Which values are drawn: of which metric, under which name, and what the panel says."""


@attrs.frozen
class Point:
    """A value after so many steps, with its 95% interval."""

    steps: int
    value: float
    low: float
    high: float


def curves(run: FinishedRun, metric: str, name: str) -> dict[int, list[Point]]:
    """`{number of training digits: points in the order of their steps}`.

    Raises:
        StoreError: no arm of the run is of the field `mnist` and has the value.
    """
    lines: dict[int, list[Point]] = {}
    for arm, options in run.recipe["arms"].items():
        field = {**run.recipe.get("field", {}), **options.get("field", {})}
        score = run.scores[arm].get(metric, {}).get(name)
        if field.get("name") == "mnist" and score is not None:
            size = field.get("trained_on", 4096)
            steps = field.get("checkpoint", CHECKPOINTS[size][-1])
            lines.setdefault(size, []).append(Point(steps, score["value"], score["low"], score["high"]))
    if not lines:
        raise StoreError(
            f"no arm of {run.folder} is of the field 'mnist' with {name!r} of {metric!r}\n  "
            "Draw a run of the recipe training-curve: kinetic run training-curve"
        )
    return {size: sorted(points, key=lambda point: point.steps) for size, points in sorted(lines.items())}


def figure(run: FinishedRun) -> Figure:
    """A panel for each of `PANELS`, steps on a logarithmic axis, bars of 95%."""
    drawn = Figure(figsize=(9, 2.9), layout="constrained")
    FigureCanvasAgg(drawn)
    for axis, (metric, name, label) in zip(drawn.subplots(1, len(PANELS)), PANELS, strict=True):
        _panel(axis, curves(run, metric, name), label)
    drawn.axes[0].legend(frameon=False, fontsize=8, title="training digits", title_fontsize=8)
    return drawn


def _panel(axis: Axes, lines: Mapping[int, Sequence[Point]], label: str) -> None:
    for size, points in lines.items():
        values = [point.value for point in points]
        bars = [[point.value - point.low for point in points], [point.high - point.value for point in points]]
        steps = [point.steps for point in points]
        axis.errorbar(steps, values, bars, label=f"{size:,}", marker="o", ms=3.5, lw=1.2, elinewidth=1.0)
    axis.set_xscale("log")
    axis.set_xticks(sorted({point.steps for points in lines.values() for point in points}))
    axis.xaxis.set_major_formatter(ScalarFormatter())
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.tick_params(labelsize=7)
    axis.tick_params(axis="x", rotation=45)
    axis.set_xlabel("training steps", fontsize=8)
    axis.set_title(label, fontsize=9)
    axis.grid(lw=0.4, alpha=0.5)


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the figure of a finished run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a finished run")
    parser.add_argument("-o", "--out", type=Path, required=True, help="the PNG file to write")
    options = parser.parse_args(arguments)
    figure(load_run(options.run)).savefig(options.out, dpi=150)


if __name__ == "__main__":
    main()
