"""The pictures of the report, and those of energies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from matplotlib import colormaps

from kinetic._report import canvas
from kinetic._report import columns as meanings
from kinetic._report.chosen import SPREAD, Bands, drawn_columns, drawn_of, evenly
from kinetic._report.drawable import Drawable
from kinetic._report.grids import by_energy, neighbours
from kinetic._report.numbers import fixed, typeset
from kinetic._report.scatter import outcomes
from kinetic._report.tables import excludes_zero

_NORMS = {"x0_sq": "‖x0‖²", "x0_dot_x1": "⟨x0,x1⟩", "x1_sq": "‖x1‖²"}


def pictures(run: Drawable) -> list[canvas.Picture]:
    """Every picture this run has the columns for."""
    columns = {arm: drawn_columns(run, arm) for arm in run.drawn}
    plain = [arm for arm in run.drawn if not run.shaped(arm)] or run.drawn
    found = [
        *(curve(run, name) for name in meanings.curves(run)),
        distributions(run, columns),
        *_shares(run),
        *(outcomes(run, arm, columns[arm]) for arm in plain),
        _rhos(run),
        *(by_energy(run, arm, columns[arm]) for arm in plain),
        *(neighbours(run, arm) for arm in run.drawn),
    ]
    return [picture for picture in found if picture is not None]


def curve(run: Drawable, name: str) -> canvas.Picture | None:
    """A column of numbers against time, an arm a panel; None where no arm has it."""
    curves = {arm: Bands.of(run, arm, name) for arm in run.drawn}
    bands = {arm: own for arm, own in curves.items() if own is not None}
    if not bands:
        return None
    across = min(4, len(bands))
    figure, axes = canvas.panels(len(bands), across, (2.9, 1.75), sharex=True, sharey=True)
    for i, (arm, axis) in enumerate(zip(bands, axes, strict=False)):
        low, inner, outer, high = bands[arm].quantiles
        t = (np.arange(len(low)) + 0.5) / len(low)
        colour = canvas.COLOURS[i % len(canvas.COLOURS)]
        axis.fill_between(t, low, high, color=colour, alpha=0.15, lw=0)
        axis.fill_between(t, inner, outer, color=colour, alpha=0.25, lw=0)
        axis.plot(t, bands[arm].mean, color=colour, lw=1.6)
        axis.set_title(arm, fontsize=8)
        axis.set_xlim(0, 1)
        if i % across == 0:
            axis.set_ylabel(name)
        if i + across >= len(bands):
            axis.set_xlabel("t")
            axis.tick_params(labelbottom=True)
    if min(own.least for own in bands.values()) >= 0:
        axes[0].set_ylim(0, None)
    says = meanings.meaning(run, "energy", name)["says"]
    caption = f"{says} Mean over samples, middle half (dark) and middle 80% (light).".strip()
    caption += drawn_of(max(own.n for own in bands.values()), SPREAD, "means are")
    title = f"{name.replace('_', ' ').capitalize()} against time"
    return canvas.picture(figure, title, caption, f"{title} for {', '.join(bands)}.")


def distributions(run: Drawable, columns: Mapping[str, Mapping[str, np.ndarray]]) -> canvas.Picture | None:
    """The main energies over the samples of each arm; None where there are none."""
    kinds = [n for n in meanings.energies(run, main=True) if any(n in arm for arm in columns.values())]
    if not kinds:
        return None
    figure, axes = canvas.panels(len(kinds), 2, (4.35, 0.7 + 0.3 * len(columns)), sharey=True)
    for axis, name in zip(axes, kinds, strict=False):
        for i, values in ((i, own[name]) for i, own in enumerate(columns.values()) if name in own):
            if not np.isfinite(values).all():
                continue
            if len(values) > 1 and np.ptp(values) > 0:
                shown = values[evenly(len(values), SPREAD)]
                body = axis.violinplot(shown, [-i], orientation="horizontal", widths=0.85, showextrema=False)
                for part in body["bodies"]:  # type: ignore[attr-defined]
                    part.set(facecolor=canvas.COLOURS[i % len(canvas.COLOURS)], alpha=0.5, edgecolor="none")
            axis.plot([values.mean()], [-i], marker="|", ms=11, color=canvas.INK, mew=1.6)
        axis.set_yticks([-i for i in range(len(columns))], list(columns))  # shared: the same in every panel
        axis.set_xlabel(meanings.with_unit(run, name))
    caption = "Distribution of the energies over the samples of each arm; the tick is the mean."
    caption += drawn_of(max(len(own[n]) for own in columns.values() for n in kinds if n in own), SPREAD, "means are")
    return canvas.picture(
        figure, "Distribution of the energies", caption, f"Distributions of {' and '.join(kinds)} in each arm."
    )


def _shares(run: Drawable) -> Iterator[canvas.Picture]:
    names = dict.fromkeys(name for shares in run.evidence["shares"].values() for name in shares)
    for name in names:
        shares = {arm: own[name] for arm, own in run.evidence["shares"].items() if own.get(name)}
        if shares:
            yield _share(name, shares)


def _share(name: str, shares: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> canvas.Picture:
    figure, (axis,) = canvas.panels(1, 1, (canvas.WIDE, 0.8 + 0.27 * len(shares)))
    for i, terms in enumerate(shares.values()):
        right = left = 0.0
        for colour, (term, estimate) in zip(canvas.COLOURS, terms.items(), strict=False):
            share = estimate["value"]
            label = _NORMS.get(term, term) if not i else None
            axis.barh(-i, share, left=right if share >= 0 else left, color=colour, label=label)
            right, left = right + max(share, 0), left + min(share, 0)
    axis.set_yticks([-i for i in range(len(shares))], list(shares))
    axis.axvline(0, color=canvas.INK, lw=0.8)
    axis.set_xlabel(f"share of Var({name})")
    axis.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False, fontsize=8)
    caption = (
        f"What the variance of {name} is made of: cov(term, {name})/Var({name}). The shares sum to 1; a bar left of 0 "
        "works against the others. ‖x0‖² is the noise draw alone."
    )
    return canvas.picture(
        figure, f"Where the variance of {name} comes from", caption, "Stacked shares of variance per arm."
    )


def _rhos(run: Drawable) -> canvas.Picture | None:
    scores = [".".join(each) for each in meanings.per_sample(run)]
    shown = [(arm, r) for arm, rows in run.evidence["correlations"].items() for r in rows if r["shown"]]
    rows = {(arm, r["energy"], f"{r['metric']}.{r['score']}"): r for arm, r in shown}
    panels = [(e, key) for e in meanings.energies(run, main=True) for key in ("raw", "partial")]
    panels = [(e, k) for e, k in panels if any(r["energy"] == e and r[k] for r in rows.values())]
    if not scores or not panels:
        return None
    across = 2 if len(run.drawn) <= 10 else 1
    size = (1.0 + 0.42 * len(run.drawn), 0.9 + 0.21 * len(scores))
    figure, axes = canvas.panels(len(panels), across, size, sharex=True, sharey=True)
    for axis, (energy, key) in zip(axes, panels, strict=False):
        grid = np.full((len(scores), len(run.drawn)), np.nan)
        for i, score in enumerate(scores):
            for j, arm in enumerate(run.drawn):
                row = rows.get((arm, energy, score))
                if row and row[key]:
                    grid[i, j] = row[key]["value"]
                    weight, colour = "normal", "#777"
                    if excludes_zero(row[key]):
                        weight, colour = "bold", "white" if abs(grid[i, j]) > 0.55 else canvas.INK
                    said = typeset(fixed(grid[i, j], 2))
                    axis.text(j, i, said, ha="center", va="center", fontsize=6.5, color=colour, weight=weight)
        axis.imshow(grid, cmap=colormaps["RdBu_r"], vmin=-1, vmax=1, aspect="auto")
        axis.set_xticks(range(len(run.drawn)), run.drawn, rotation=35, ha="right", rotation_mode="anchor")
        axis.set_yticks(range(len(scores)), scores)
        axis.set_title(f"{energy}, {key}", fontsize=8)
        axis.grid(visible=False)
    caption = (
        "Spearman's rho of each energy with each score, arm by arm. Bold: the 95% interval excludes 0. "
        "Blank: one of them is constant, but for rounding."
    )
    return canvas.picture(figure, "All correlations", caption, "Heat map of rank correlations by arm and score.")
