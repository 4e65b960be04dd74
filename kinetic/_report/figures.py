"""The pictures of the report, as PNGs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from matplotlib import colormaps

from kinetic._report import canvas
from kinetic._report import columns as meanings
from kinetic._report.chosen import SPREAD, Bands, drawn_columns, drawn_of, evenly
from kinetic._report.numbers import fixed, typeset
from kinetic._report.prompts import prompt_of, prompts_asked
from kinetic._report.tables import excludes_zero
from kinetic._sample.stored_samples import StoredSamples
from kinetic._store.finished_run import FinishedRun

_COLOURS = ("#2a5d9f", "#c2571a", "#2f7d4f", "#8a3d8f", "#b08a00", "#4a6a7c", "#b3344a", "#5a52b5")
_NORMS = {"x0_sq": "‖x0‖²", "x0_dot_x1": "⟨x0,x1⟩", "x1_sq": "‖x1‖²"}
_POINTS = 1500  # points of a scatter, evenly chosen
_SHOWN = 16  # samples of a strip
_DRAWN = 2  # energies against scores and in strips; tables have all


def pictures(run: FinishedRun) -> list[canvas.Picture]:
    """Every picture this run has the columns for."""
    columns = {arm: drawn_columns(run, arm) for arm in run.drawn}
    plain = [arm for arm in run.drawn if not run.shaped(arm)] or run.drawn
    found = [
        *(_curve(run, name) for name in meanings.curves(run)),
        _distributions(run, columns),
        *_shares(run),
        *(_scatter(run, arm, columns[arm]) for arm in plain),
        _rhos(run),
        *(_strips(run, arm, columns[arm]) for arm in plain),
        *(_neighbours(run, arm) for arm in run.drawn),
    ]
    return [picture for picture in found if picture is not None]


def _curve(run: FinishedRun, name: str) -> canvas.Picture | None:
    curves = {arm: Bands.of(run, arm, name) for arm in run.drawn}
    bands = {arm: own for arm, own in curves.items() if own is not None}
    if not bands:
        return None
    across = min(4, len(bands))
    figure, axes = canvas.panels(len(bands), across, (2.9, 1.75), sharex=True, sharey=True)
    for i, (arm, axis) in enumerate(zip(bands, axes, strict=False)):
        low, inner, outer, high = bands[arm].quantiles
        t = (np.arange(len(low)) + 0.5) / len(low)
        colour = _COLOURS[i % len(_COLOURS)]
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


def _distributions(run: FinishedRun, columns: dict[str, dict[str, np.ndarray]]) -> canvas.Picture | None:
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
                    part.set(facecolor=_COLOURS[i % len(_COLOURS)], alpha=0.5, edgecolor="none")
            axis.plot([values.mean()], [-i], marker="|", ms=11, color=canvas.INK, mew=1.6)
        axis.set_yticks([-i for i in range(len(columns))], list(columns))  # shared: the same in every panel
        axis.set_xlabel(_with_unit(run, name))
    caption = "Distribution of the energies over the samples of each arm; the tick is the mean."
    caption += drawn_of(max(len(own[n]) for own in columns.values() for n in kinds if n in own), SPREAD, "means are")
    return canvas.picture(
        figure, "Distribution of the energies", caption, f"Distributions of {' and '.join(kinds)} in each arm."
    )


def _shares(run: FinishedRun) -> Iterator[canvas.Picture]:
    names = dict.fromkeys(name for shares in run.evidence["shares"].values() for name in shares)
    for name in names:
        shares = {arm: own[name] for arm, own in run.evidence["shares"].items() if own.get(name)}
        if shares:
            yield _share(name, shares)


def _share(name: str, shares: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> canvas.Picture:
    figure, (axis,) = canvas.panels(1, 1, (canvas.WIDE, 0.8 + 0.27 * len(shares)))
    for i, terms in enumerate(shares.values()):
        right = left = 0.0
        for colour, (term, estimate) in zip(_COLOURS, terms.items(), strict=False):
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


def _scatter(run: FinishedRun, arm: str, columns: dict[str, np.ndarray]) -> canvas.Picture | None:
    energies = [name for name in meanings.energies(run, main=True) if name in columns][:_DRAWN]
    rhos = {(row["energy"], _score(row)): row for row in run.evidence["correlations"].get(arm, []) if _drawn(row)}
    headline = [".".join(each) for each in meanings.headline(run)]
    scores = [name for name in headline if any((energy, name) in rhos for energy in energies)]
    if not energies or not scores:
        return None
    panels, across = [(energy, score) for energy in energies for score in scores], len(scores)
    if across > 4:
        panels, across = [(energy, score) for score in scores for energy in energies], 4
    figure, axes = canvas.panels(len(panels), across, (2.9, 2.35))
    n = len(columns[scores[0]])
    chosen = evenly(n, _POINTS)
    for axis, (energy, score) in zip(axes, panels, strict=True):
        colour = _COLOURS[energies.index(energy)]
        axis.scatter(columns[energy][chosen], columns[score][chosen], s=5, alpha=0.35, lw=0, color=colour)
        row = rhos.get((energy, score), {})
        rows = [(name, row.get(key)) for name, key in (("ρ", "raw"), ("beyond norms", "partial"))]
        axis.set_title("\n".join(f"{name} {_rho(estimate)}" for name, estimate in rows if estimate), fontsize=7.5)
        axis.set_xlabel(_with_unit(run, energy))
        axis.set_ylabel(score)
    caption = (
        f"Each point is a sample of arm {arm}. Above each panel Spearman's rho with its 95% interval, raw and of what "
        "linear regression on ‖x0‖², ⟨x0,x1⟩ and ‖x1‖² leaves."
    )
    caption += drawn_of(n, _POINTS, "numbers are")
    return canvas.picture(
        figure, f"Energy and outcome: {arm}", caption, f"{' and '.join(energies)} against {', '.join(scores)}."
    )


def _rhos(run: FinishedRun) -> canvas.Picture | None:
    scores = [".".join(each) for each in meanings.per_sample(run)]
    shown = [(arm, r) for arm, rows in run.evidence["correlations"].items() for r in rows if r["shown"]]
    rows = {(arm, r["energy"], _score(r)): r for arm, r in shown}
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


def _strips(run: FinishedRun, arm: str, columns: dict[str, np.ndarray]) -> canvas.Picture | None:
    energies = [name for name in meanings.energies(run, main=True) if name in columns][:_DRAWN]
    if not energies:
        return None
    samples = run.stored(arm)
    shape = samples.event_shape
    if len(shape) == 3 and shape[0] in (1, 3):
        return _images(run, arm, columns, energies, samples)
    return _points(run, arm, columns, energies, samples) if shape == (2,) else None


def _points(
    run: FinishedRun, arm: str, columns: dict[str, np.ndarray], energies: list[str], samples: StoredSamples
) -> canvas.Picture:
    figure, axes = canvas.panels(len(energies), 2, (4.35, 3.4))
    n = len(columns[energies[0]])
    chosen = evenly(n, SPREAD)
    points = samples[torch.from_numpy(columns["sample"][chosen])].float().numpy()
    for axis, name in zip(axes, energies, strict=False):
        axis.set_aspect("equal", "datalim")
        colours = columns[name][chosen]
        dots = axis.scatter(points[:, 0], points[:, 1], c=colours, s=6, lw=0, cmap=colormaps["viridis"])
        bar = figure.colorbar(dots, ax=axis)
        bar.set_label(_with_unit(run, name), fontsize=8)
        bar.ax.tick_params(labelsize=7)
    caption = f"The samples of arm {arm}, coloured by energy.{drawn_of(n, SPREAD)}"
    return canvas.picture(figure, f"Samples by energy: {arm}", caption, f"Samples of {arm} ordered by energy.")


def _images(
    run: FinishedRun, arm: str, columns: dict[str, np.ndarray], energies: list[str], samples: StoredSamples
) -> canvas.Picture:
    n = len(columns[energies[0]])
    per = min(_SHOWN, n)
    ranks = np.linspace(0, n - 1, 2 * per).astype(int)
    chosen = {name: np.argsort(columns[name], kind="stable")[ranks] for name in energies}
    together = columns["sample"][np.concatenate([*chosen.values()])]  # at once: each shard is read once
    images = dict(zip(energies, samples[torch.from_numpy(together)].float().split(2 * per), strict=True))
    _, height, width = samples.event_shape
    figure, axes = canvas.panels(len(energies), 1, (0.54 * per, 1.55 * height / width))
    asked, texts = columns.get("class"), prompts_asked(run, arm)
    drawn = set[int]()
    for axis, name in zip(axes, energies, strict=True):
        said = [f"{columns[name][index]:.3g}" for index in chosen[name]]
        if texts and asked is not None:
            said = [f"{number} #{asked[index]}" for number, index in zip(said, chosen[name], strict=True)]
            drawn |= {int(asked[index]) for index in chosen[name]}
        canvas.mosaic(axis, images[name].numpy(), per, said)
        axis.set_ylabel(name)
    names = " and of ".join(energies)
    caption = (
        f"Samples of arm {arm} at evenly spaced ranks of {names}, lowest first, in two rows each. "
        "The number is the energy."
    )
    if drawn:
        listed = "; ".join(f"#{number} {prompt_of(texts[number])}" for number in sorted(drawn))
        caption += f" Behind it the prompt that was asked for: {listed}."
    return canvas.picture(figure, f"Samples by energy: {arm}", caption, f"Samples of {arm} ordered by energy.")


def _neighbours(run: FinishedRun, arm: str) -> canvas.Picture | None:
    kept = run.neighbours(arm)
    if kept is None or kept["samples"].dim() != 4 or kept["samples"].shape[1] not in (1, 3):
        return None
    per = len(kept["ids"])
    pairs = np.concatenate([kept["samples"].float().numpy(), kept["nearest"].float().numpy()])
    figure, (axis,) = canvas.panels(1, 1, (0.72 * per, 1.9 * pairs.shape[2] / pairs.shape[3]))
    values, points = kept["values"].tolist(), kept["points"].tolist()
    canvas.mosaic(axis, pairs, per, [f"{value:.2g}" for value in values] + [f"#{point}" for point in points])
    caption = (
        f"The most copy-like samples of arm {arm} (above, with the score that ranks them) and the training point "
        "nearest to each (below, with its number in the training data of the arm)."
    )
    return canvas.picture(
        figure, f"Nearest training points: {arm}", caption, f"Samples of {arm} above their nearest training point."
    )


def _drawn(row: Mapping[str, Any]) -> bool:
    return bool(row["shown"] and row["raw"])


def _score(row: Mapping[str, Any]) -> str:
    return f"{row['metric']}.{row['score']}"


def _with_unit(run: FinishedRun, name: str) -> str:
    unit = meanings.meaning(run, "energy", name)["unit"]
    return f"{name} ({unit})" if unit else name


def _rho(estimate: dict[str, Any] | None) -> str:
    if estimate is None:
        return ""
    return typeset("{} [{}, {}]".format(*(fixed(estimate[key], 2) for key in ("value", "low", "high"))))
