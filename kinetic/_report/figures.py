"""The pictures of the report, as PNGs."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from kinetic._report.numbers import fixed, typeset
from kinetic._report.tables import excludes_zero, headline, judged
from kinetic._store.run_folder import FinishedRun

_INK, _GRID = "#1f2430", "#d9dde5"
_COLOURS = ("#2a5d9f", "#c2571a", "#2f7d4f", "#8a3d8f", "#b08a00", "#4a6a7c", "#b3344a", "#5a52b5")
_TERMS = {"x0_sq": "½‖x0‖²", "x0_dot_x1": "−⟨x0,x1⟩", "x1_sq": "½‖x1‖²", "bending": "bending"}
_POINTS = 1500  # points of a scatter, evenly chosen
_SHOWN = 16  # samples of a strip
_WIDE = 8.7  # inches across the page
_PIXELS = 96  # of the page to an inch, so that all figures have one size of text
_UNIT = "squared data units"


@attrs.frozen
class Picture:
    """A figure of the report: PNG bytes, what it shows, how to read it; `width` is in pixels of the page."""

    title: str
    caption: str
    alt: str
    png: bytes
    width: int


def pictures(run: FinishedRun) -> list[Picture]:
    """Every picture this run has the columns for."""
    columns = {arm: _columns(run.rows(arm)) for arm in run.arms}
    plain = [arm for arm in run.arms if not run.shaped(arm)] or run.arms
    found = [
        _power(columns),
        _distributions(columns),
        _shares(run),
        *(_scatter(run, arm, columns[arm]) for arm in plain),
        _rhos(run),
        *(_strips(run, arm, columns[arm]) for arm in plain),
        *(_neighbours(run, arm, columns[arm]) for arm in run.arms),
    ]
    return [picture for picture in found if picture is not None]


def _columns(rows: pa.Table) -> dict[str, np.ndarray]:
    """Columns of one arm as arrays; those that are null there are left out."""
    columns = {}
    for name in rows.column_names:
        column = rows[name].combine_chunks()
        if column.null_count:
            continue
        if pa.types.is_fixed_size_list(column.type):
            columns[name] = column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), -1)
        elif not pa.types.is_string(column.type):
            columns[name] = column.to_numpy(zero_copy_only=False)
    return columns


def _power(columns: dict[str, dict[str, np.ndarray]]) -> Picture | None:
    arms = [arm for arm in columns if "power" in columns[arm]]
    if not arms:
        return None
    across = min(4, len(arms))
    figure, axes = _panels(len(arms), across, (2.9, 1.75), sharex=True, sharey=True)
    for place, (arm, axis) in enumerate(zip(arms, axes, strict=False)):
        power = columns[arm]["power"]
        t = (np.arange(power.shape[1]) + 0.5) / power.shape[1]
        low, inner, outer, high = np.quantile(power, [0.1, 0.25, 0.75, 0.9], axis=0)
        colour = _COLOURS[place % len(_COLOURS)]
        axis.fill_between(t, low, high, color=colour, alpha=0.15, lw=0)
        axis.fill_between(t, inner, outer, color=colour, alpha=0.25, lw=0)
        axis.plot(t, power.mean(0), color=colour, lw=1.6)
        axis.set_title(arm, fontsize=8)
        axis.set_xlim(0, 1)
        if place % across == 0:
            axis.set_ylabel("½‖v‖²")
        if place + across >= len(arms):
            axis.set_xlabel("t")
            axis.tick_params(labelbottom=True)
    axes[0].set_ylim(0, None)
    caption = (
        f"Power ½‖v‖² ({_UNIT} in unit time) against time: mean over samples, middle half (dark) and middle 80% "
        "(light). The area is the KPE."
    )
    return _picture(figure, "Power against time", caption, f"Power against time for {', '.join(arms)}.")


def _distributions(columns: dict[str, dict[str, np.ndarray]]) -> Picture | None:
    kinds = [name for name in ("kpe", "bending") if any(name in arm for arm in columns.values())]
    if not kinds:
        return None
    figure, axes = _panels(len(kinds), 2, (4.35, 0.7 + 0.3 * len(columns)), sharey=True)
    for axis, name in zip(axes, kinds, strict=False):
        for place, values in ((place, own[name]) for place, own in enumerate(columns.values()) if name in own):
            if len(values) > 1 and np.ptp(values) > 0:
                body = axis.violinplot(values, [-place], orientation="horizontal", widths=0.85, showextrema=False)
                for part in body["bodies"]:  # type: ignore[attr-defined]
                    part.set(facecolor=_COLOURS[place % len(_COLOURS)], alpha=0.5, edgecolor="none")
            axis.plot([values.mean()], [-place], marker="|", ms=11, color=_INK, mew=1.6)
        axis.set_yticks([-place for place in range(len(columns))], list(columns))  # shared: the same in every panel
        axis.set_xlabel(f"{name} ({_UNIT})")
    caption = "Distribution of the energies over the samples of each arm; the tick is the mean."
    return _picture(
        figure, "Distribution of the energies", caption, f"Distributions of {' and '.join(kinds)} in each arm."
    )


def _shares(run: FinishedRun) -> Picture | None:
    shares = {arm: terms for arm, terms in run.evidence["shares"].items() if terms}
    if not shares:
        return None
    figure, (axis,) = _panels(1, 1, (_WIDE, 0.8 + 0.27 * len(shares)))
    for place, terms in enumerate(shares.values()):
        right = left = 0.0
        for colour, (term, name) in zip(_COLOURS, _TERMS.items(), strict=False):
            share = terms[term]
            axis.barh(
                -place, share, left=right if share >= 0 else left, color=colour, label=name if not place else None
            )
            right, left = right + max(share, 0), left + min(share, 0)
    axis.set_yticks([-place for place in range(len(shares))], list(shares))
    axis.axvline(0, color=_INK, lw=0.8)
    axis.set_xlabel("share of Var(KPE)")
    axis.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False, fontsize=8)
    caption = (
        "What the variance of the KPE is made of: cov(term, KPE)/Var(KPE). The shares sum to 1; a bar left of 0 works "
        "against the others. The first term is the noise draw alone."
    )
    return _picture(figure, "Where the variance of the KPE comes from", caption, "Stacked shares of variance per arm.")


def _scatter(run: FinishedRun, arm: str, columns: dict[str, np.ndarray]) -> Picture | None:
    energies = [name for name in ("kpe", "bending") if name in columns]
    rhos = {(row["energy"], row["score"]): row for row in run.evidence["correlations"].get(arm, []) if row["raw"]}
    scores = [name for name in headline(run) if any((energy, name) in rhos for energy in energies)]
    if not energies or not scores:
        return None
    panels, across = [(energy, score) for energy in energies for score in scores], len(scores)
    if across > 4:
        panels, across = [(energy, score) for score in scores for energy in energies], 4
    figure, axes = _panels(len(panels), across, (2.9, 2.35))
    chosen = np.linspace(0, len(columns[scores[0]]) - 1, min(_POINTS, len(columns[scores[0]]))).astype(int)
    for axis, (energy, score) in zip(axes, panels, strict=True):
        colour = _COLOURS[energies.index(energy)]
        axis.scatter(columns[energy][chosen], columns[score][chosen], s=5, alpha=0.35, lw=0, color=colour)
        row = rhos.get((energy, score), {})
        said = [f"{name} {_rho(row.get(key))}" for name, key in (("ρ", "raw"), ("partial", "partial")) if row.get(key)]
        axis.set_title("\n".join(said), fontsize=7.5)
        axis.set_xlabel(f"{energy} ({_UNIT})")
        axis.set_ylabel(score)
    caption = (
        f"Each point is a sample of arm {arm}. Above each panel Spearman's rho with its 95% interval, raw and with "
        "‖x0‖², ⟨x0,x1⟩, ‖x1‖² held fixed."
    )
    return _picture(
        figure, f"Energy and outcome: {arm}", caption, f"{' and '.join(energies)} against {', '.join(scores)}."
    )


def _rhos(run: FinishedRun) -> Picture | None:
    scores = judged(run)
    found = {(arm, r["energy"], r["score"]): r for arm, rows in run.evidence["correlations"].items() for r in rows}
    panels = [(e, key) for e in ("kpe", "bending") for key in ("raw", "partial")]
    panels = [(e, k) for e, k in panels if any(r["energy"] == e and r[k] for r in (found[key] for key in found))]
    if not scores or not panels:
        return None
    across = 2 if len(run.arms) <= 10 else 1
    size = (1.0 + 0.42 * len(run.arms), 0.9 + 0.21 * len(scores))
    figure, axes = _panels(len(panels), across, size, sharex=True, sharey=True)
    for axis, (energy, key) in zip(axes, panels, strict=False):
        grid = np.full((len(scores), len(run.arms)), np.nan)
        for i, score in enumerate(scores):
            for j, arm in enumerate(run.arms):
                row = found.get((arm, energy, score))
                if row and row[key]:
                    grid[i, j] = row[key]["value"]
                    weight, colour = "normal", "#777"
                    if excludes_zero(row[key]):
                        weight, colour = "bold", "white" if abs(grid[i, j]) > 0.55 else _INK
                    said = typeset(fixed(grid[i, j], 2))
                    axis.text(j, i, said, ha="center", va="center", fontsize=6.5, color=colour, weight=weight)
        axis.imshow(grid, cmap=colormaps["RdBu_r"], vmin=-1, vmax=1, aspect="auto")
        axis.set_xticks(range(len(run.arms)), run.arms, rotation=35, ha="right", rotation_mode="anchor")
        axis.set_yticks(range(len(scores)), scores)
        axis.set_title(f"{energy}, {key}", fontsize=8)
        axis.grid(visible=False)
    caption = (
        "Spearman's rho of each energy with each score, arm by arm. Bold: the 95% interval excludes 0. "
        "Blank: one of them is constant, but for rounding."
    )
    return _picture(figure, "All correlations", caption, "Heat map of rank correlations by arm and score.")


def _strips(run: FinishedRun, arm: str, columns: dict[str, np.ndarray]) -> Picture | None:
    energies = [name for name in ("kpe", "bending") if name in columns]
    samples = run.samples(arm).float().numpy()
    if not energies or samples.ndim not in (2, 4) or (samples.ndim == 2 and samples.shape[1] != 2):
        return None
    if samples.ndim == 2:
        figure, axes = _panels(len(energies), 2, (4.35, 3.4))
        for axis, name in zip(axes, energies, strict=False):
            axis.set_aspect("equal", "datalim")
            dots = axis.scatter(samples[:, 0], samples[:, 1], c=columns[name], s=6, lw=0, cmap=colormaps["viridis"])
            bar = figure.colorbar(dots, ax=axis)
            bar.set_label(f"{name} ({_UNIT})", fontsize=8)
            bar.ax.tick_params(labelsize=7)
        caption = f"The samples of arm {arm}, coloured by energy."
    else:
        if samples.shape[1] not in (1, 3):
            return None
        per = min(_SHOWN, len(samples))
        figure, axes = _panels(len(energies), 1, (0.54 * per, 1.55 * samples.shape[2] / samples.shape[3]))
        for axis, name in zip(axes, energies, strict=True):
            order = np.argsort(columns[name], kind="stable")
            chosen = order[np.linspace(0, len(order) - 1, 2 * per).astype(int)]
            _mosaic(axis, samples[chosen], per, [f"{columns[name][index]:.3g}" for index in chosen])
            axis.set_ylabel(name)
        names = " and of ".join(energies)
        caption = (
            f"Samples of arm {arm} at evenly spaced ranks of {names}, lowest first, in two rows each. "
            "The number is the energy."
        )
    return _picture(figure, f"Samples by energy: {arm}", caption, f"Samples of {arm} ordered by energy.")


def _neighbours(run: FinishedRun, arm: str, columns: dict[str, np.ndarray]) -> Picture | None:
    kept = run.neighbours(arm)
    metric = next((name[: -len(".ratio")] for name in columns if name.endswith(".ratio")), None)
    if kept is None or metric is None or kept["samples"].dim() != 4 or kept["samples"].shape[1] not in (1, 3):
        return None
    per = len(kept["ids"])
    pairs = np.concatenate([kept["samples"].float().numpy(), kept["nearest"].float().numpy()])
    ids = kept["ids"].tolist()
    figure, (axis,) = _panels(1, 1, (0.72 * per, 1.9 * pairs.shape[2] / pairs.shape[3]))
    ratios, points = (columns[f"{metric}.{name}"][ids] for name in ("ratio", "index"))
    _mosaic(axis, pairs, per, [f"{ratio:.2g}" for ratio in ratios] + [f"#{point}" for point in points])
    caption = (
        f"The most copy-like samples of arm {arm} (above, with d1/d2) and the training point nearest to each "
        "(below, with its number in the training data of the arm). A ratio below the threshold counts as a copy."
    )
    return _picture(
        figure, f"Nearest training points: {arm}", caption, f"Samples of {arm} above their nearest training point."
    )


def _rho(estimate: dict[str, Any] | None) -> str:
    if estimate is None:
        return ""
    return typeset("{} [{}, {}]".format(*(fixed(estimate[key], 2) for key in ("value", "low", "high"))))


def _panels(
    count: int, across: int, size: tuple[float, float], sharex: bool = False, sharey: bool = False
) -> tuple[Figure, Sequence[Axes]]:
    """Panels of so many inches, less wide where they would not fit the page."""
    across = min(across, count)
    down = -(-count // across)
    wide = min(size[0] * across, _WIDE)
    figure = Figure(figsize=(wide, size[1] * down), facecolor="white")
    figure.set_layout_engine("constrained", w_pad=0.06, h_pad=0.06, wspace=0.03, hspace=0.04)
    FigureCanvasAgg(figure)
    grid = figure.subplots(down, across, squeeze=False, sharex=sharex, sharey=sharey).ravel()
    for axis in grid[:count]:
        axis.tick_params(labelsize=7, colors=_INK, length=2.5)
        axis.grid(color=_GRID, lw=0.5)
        axis.set_axisbelow(True)
        axis.xaxis.label.set_fontsize(8)
        axis.yaxis.label.set_fontsize(8)
        for side, spine in axis.spines.items():
            spine.set(visible=side in ("left", "bottom"), color=_INK, lw=0.7)
    for axis in grid[count:]:
        axis.set_visible(False)
    return figure, list(grid[:count])


def _mosaic(axis: Axes, images: np.ndarray, across: int, said: Sequence[str]) -> None:
    """Images `(n, c, h, w)` in [-1, 1] in rows of `across`, a few words above each."""
    _, channels, height, width = images.shape
    down, gap, head = -(-len(images) // across), max(1, width // 8), max(3, height // 3)
    canvas = np.ones((down * (height + head), across * (width + gap), channels))
    for place, image in enumerate(images):
        top, left = place // across * (height + head) + head, place % across * (width + gap)
        canvas[top : top + height, left : left + width] = np.clip((image.transpose(1, 2, 0) + 1) / 2, 0, 1)
        axis.text(left + width / 2 - 0.5, top - 0.8, said[place], ha="center", va="bottom", fontsize=6.5, color=_INK)
    shown = canvas if channels == 3 else canvas[..., 0]
    axis.imshow(shown, cmap=colormaps["gray"], vmin=0, vmax=1, interpolation="nearest")
    axis.set_xticks([])
    axis.set_yticks([])
    axis.grid(visible=False)
    for spine in axis.spines.values():
        spine.set_visible(False)


def _picture(figure: Figure, title: str, caption: str, alt: str) -> Picture:
    for text in figure.findobj(Text):
        text.set_parse_math(False)  # a name may hold two dollar signs
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=1.75 * _PIXELS)
    return Picture(title, caption, alt, buffer.getvalue(), round(figure.get_figwidth() * _PIXELS))
