"""Draws the pictures of the gallery, docs/images/*.webp, from runs of the shipped recipes.

`python docs/_make/gallery.py [FOLDER]` carries out each recipe in FOLDER/NAME, `runs` by default, where it is not there
yet, and draws a picture of it for light and one for dark pages. Some ten minutes on two CPU cores; nothing is
downloaded.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from kinetic import FinishedRun, load_recipe, load_run

IMAGES = Path(__file__).parent.parent / "images"
LARGEST = 60_000  # bytes of a picture
SCHEMES = {  # ink, then the colours of arms
    "light": ("#222222", "#2a5d9f", "#c2571a", "#2f7d4f", "#b08a00", "#8a3d8f"),
    "dark": ("#dddddd", "#8ab4f0", "#f0935a", "#6cc58e", "#dcb93c", "#c98fd0"),
}
SIZE = (6.4, 3.4)


def goldilocks(run: FinishedRun, colours: tuple[str, ...]) -> Figure:
    """Bending against the CLIP margin, and the digits of least and most bending."""
    figure, (left, right) = plt.subplots(1, 2, figsize=SIZE, width_ratios=(1.15, 1))
    rows = run.rows("learned")
    bending, margin = (np.array(rows[name]) for name in ("bending", "clip.margin_mean"))
    left.scatter(bending, margin, s=5, alpha=0.4, lw=0, color=colours[0])
    left.set(xlabel="bending, squared data units", ylabel="CLIP margin", title="bending against fit to the prompt")
    order = np.argsort(bending)
    chosen = np.concatenate([order[:20], order[-20:]])
    tiles = run.stored("learned")[chosen.tolist()].numpy()
    _tiles(right, tiles, 5)
    right.set_title("least bending above, most below")
    return figure


def memorisation(run: FinishedRun, colours: tuple[str, ...]) -> Figure:
    """Samples with the training digit nearest to them, of a net that generalises and one that copies."""
    figure, axes = plt.subplots(1, 2, figsize=(6.4, 1.35))
    for axis, arm in zip(axes, ("learned", "memorised"), strict=True):
        pairs = run.neighbours(arm)
        assert pairs is not None
        _tiles(axis, np.concatenate([pairs["samples"][:8].numpy(), pairs["nearest"][:8].numpy()]), 8)
        share = run.scores[arm]["memorisation"]["f_mem"]
        axis.set_title(f"{arm}: F_mem {share['value']:.3f} [{share['low']:.3f}, {share['high']:.3f}]")
        axis.set_xlabel("samples above, nearest training digits below")
    return figure


def hybrid(run: FinishedRun, colours: tuple[str, ...]) -> Figure:
    """The share of copies against the time at which the closed-form field gives way to a net."""
    figure, axis = plt.subplots(figsize=SIZE)
    taus = {arm: float(f"0.{arm[5:]}") for arm in run.arms if arm.startswith("tau-")}
    for colour, (name, words) in zip(
        colours, {"f_mem": "in pixels", "f_mem_features": "in classifier features"}.items(), strict=False
    ):
        shares = [run.scores[arm]["memorisation"][name] for arm in taus]
        _line(axis, [*taus.values()], shares, colour, words)
    axis.set(xlabel="tau, from when on a net that generalises leads", ylabel="share of copies, F_mem")
    axis.legend(frameon=False)
    return figure


def error_bars(run: FinishedRun, colours: tuple[str, ...]) -> Figure:
    """How far the KPE of a solver is from dopri5's, against the bar that it gives itself."""
    figure, axis = plt.subplots(figsize=SIZE)
    column = {arm: {n: np.array(run.rows(arm)[n]) for n in ("kpe", "kpe_error")} for arm in run.arms}
    truth = column["dopri5"]["kpe"]
    for colour, arm in zip(colours, ("euler", "midpoint", "tsit5", "ab2", "rk4"), strict=False):
        off = np.abs(column[arm]["kpe"] - truth)
        axis.scatter(column[arm]["kpe_error"], off, s=7, alpha=0.45, lw=0, color=colour, label=arm)
    ends = (1e-4, 4)
    axis.plot(ends, ends, lw=0.8, color=mpl.rcParams["text.color"])
    axis.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    axis.set(xlabel="error bar of a sample's KPE", ylabel="distance to dopri5", title="below the line: within the bar")
    axis.legend(frameon=False, markerscale=2.5, loc="upper left", ncols=5)
    return figure


def trainings(run: FinishedRun, colours: tuple[str, ...]) -> Figure:
    """What shaping does to the share of copies in six trainings, in all three views."""
    figure, axis = plt.subplots(figsize=SIZE)
    over = [
        row
        for row in run.evidence["differences"]
        if row["metric"] == "memorisation" and row["name"] == "memorised" and row["arm"] in run.runs
    ]
    labels = [f"{row['arm']}, {row['view']}" for row in over]
    for i, row in enumerate(over):
        colour = colours[("plain", "denoised", "control").index(row["view"])]
        axis.plot([row["low"], row["high"]], [-i, -i], color=colour, lw=2.5)
        axis.plot(row["value"], -i, "o", color=colour, ms=7)
    axis.axvline(0, lw=0.8, color=mpl.rcParams["text.color"])
    axis.set_yticks([-i for i in range(len(over))], labels)
    axis.set_xlabel("difference of F_mem to the plain arm, mean over six trainings")
    return figure


def prompts(run: FinishedRun, colours: tuple[str, ...]) -> Figure:
    """One digit for each prompt and arm, and the CLIP margins of the arms."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.4, 1.8), width_ratios=(1.5, 1))
    tiles = np.concatenate([run.stored(arm)[list(range(10))].numpy() for arm in run.arms])
    _tiles(left, tiles, 10)
    left.set_xlabel(f"ten prompts; {', '.join(run.arms)}")
    for i, (arm, colour) in enumerate(zip(run.arms, colours, strict=False)):
        margin = run.scores[arm]["clip"]["margin_mean"]
        right.plot([margin["low"], margin["high"]], [-i, -i], color=colour, lw=2.5)
        right.plot(margin["value"], -i, "o", color=colour, ms=7)
    right.set_yticks([-i for i in range(len(run.arms))], run.arms)
    right.set_xlabel("CLIP margin")
    right.set_ylim(-len(run.arms) + 0.5, 0.5)
    return figure


def adaptive(run: FinishedRun, colours: tuple[str, ...]) -> Figure:
    """The share of copies, denoised where noise was left, and the distance to held-out digits, arm by arm."""
    figure, axes = plt.subplots(1, 2, figsize=(6.4, 2.6), sharey=True)
    shown = (("memorisation", "f_mem", "share of copies, F_mem"), ("frechet-pixels", "fd", "Frechet distance, pixels"))
    for axis, (metric, name, label) in zip(axes, shown, strict=True):
        for i, arm in enumerate(run.arms):
            values = run.scores[arm][metric]
            value = values.get(f"{name}_denoised", values[name])
            colour = colours[1] if arm == "guarded" else colours[0]
            axis.plot([value["low"], value["high"]], [-i, -i], color=colour, lw=2.5)
            axis.plot(value["value"], -i, "o", color=colour, ms=6)
        axis.set(xlabel=label)
    axes[0].set_yticks([-i for i in range(len(run.arms))], run.arms)
    return figure


def anatomy(run: FinishedRun, colours: tuple[str, ...]) -> Figure:
    """The energy of each band of spatial frequency, and the acceleration across the path, arm by arm."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.4, 2.4), width_ratios=(1.6, 1))
    bands = [name for name in run.scores[run.arms[0]]["energy"] if name.startswith("kpe_band_")]
    width = 0.8 / len(run.arms)
    for i, (arm, colour) in enumerate(zip(run.arms, colours, strict=False)):
        energy = run.scores[arm]["energy"]
        left.bar(
            np.arange(len(bands)) + i * width, [energy[name]["value"] for name in bands], width, color=colour, label=arm
        )
        right.barh(-i, energy["acceleration_normal"]["value"], color=colour)
    left.set_xticks(np.arange(len(bands)) + 0.4 - width / 2, [name.removeprefix("kpe_band_") for name in bands])
    left.set(xlabel="band of spatial frequency, coarse to fine", ylabel="energy")
    left.legend(frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1))
    right.set_yticks([])
    right.set(xlabel="acceleration across the path")
    return figure


def energy_density(run: FinishedRun, colours: tuple[str, ...]) -> Figure:
    """Squared speed of the closed-form field against -log density at t = 0.9, less their means, by data set."""
    figure, axes = plt.subplots(1, 3, figsize=(6.4, 2.3))
    for axis, arm, colour in zip(axes, ("digits", "patches", "patches-normalised"), colours, strict=False):
        rows, score = run.rows(arm), run.scores[arm]["energy-density"]
        kept = np.array(rows["energy-density.dominated_0.9"]).astype(bool)
        x, y = (np.array(rows[f"energy-density.{name}_0.9"])[kept] for name in ("surprise", "speed_sq"))
        x, y = x - x.mean(), y - y.mean()
        axis.scatter(x[:1000], y[:1000], s=4, alpha=0.4, lw=0, color=colour)
        ends = np.array([x.min(), x.max()])
        axis.plot(ends, 2 * ends, lw=1, color=mpl.rcParams["text.color"])
        slope, r2 = (score[f"{name}_0.9"]["value"] for name in ("slope", "r2"))
        axis.set(title=f"{arm}\nslope {slope:.2f}, R² {r2:.2f}", xlabel="-log p, nats, less its mean")
    axes[0].set_ylabel("squared speed, less its mean")
    return figure


def claims(run: FinishedRun, colours: tuple[str, ...]) -> Figure:
    """The verdict of every claim that the recipe declares."""
    figure, axis = plt.subplots(figsize=(6.4, 0.2 * len(run.claims) + 0.1))
    words = {"holds": colours[2], "holds, negligible": colours[2], "does not hold": colours[1], "undecided": colours[3]}
    for i, row in enumerate(run.claims):
        axis.text(0.15, -i, row["word"], color=words[row["word"]], weight="bold", va="center", ha="right", fontsize=7.5)
        axis.text(0.17, -i, row["statement"], va="center", fontsize=7.5)
    axis.set(xlim=(0, 1), ylim=(0.6 - len(run.claims), 0.6))
    axis.axis("off")
    return figure


DRAWN: Mapping[str, Callable[[FinishedRun, tuple[str, ...]], Figure]] = {
    "goldilocks": goldilocks,
    "memorisation": memorisation,
    "hybrid": hybrid,
    "error-bars": error_bars,
    "trainings": trainings,
    "prompts": prompts,
    "claims": claims,
    "adaptive": adaptive,
    "anatomy": anatomy,
    "energy-density": energy_density,
}


def pictures(name: str, run: FinishedRun) -> Iterator[tuple[Path, bytes]]:
    """The files of a recipe and what is to be in them."""
    for scheme, (ink, *colours) in SCHEMES.items():
        names = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
        look = dict.fromkeys(names, ink) | {"font.size": 8, "axes.titlesize": 8, "figure.dpi": 125}
        look |= {"axes.spines.top": False, "axes.spines.right": False, "figure.constrained_layout.use": True}
        with mpl.rc_context(look):
            figure = DRAWN[name](run, tuple(colours))
            png = io.BytesIO()
            figure.savefig(png, transparent=True)
            plt.close(figure)
        webp = io.BytesIO()
        Image.open(png).save(webp, "WEBP", quality=80, method=6)
        yield IMAGES / f"{name}-{scheme}.webp", webp.getvalue()


def _line(axis: Axes, x: list[float], estimates: list[Mapping[str, float]], colour: str, label: str) -> None:
    value, low, high = ([each[key] for each in estimates] for key in ("value", "low", "high"))
    axis.fill_between(x, low, high, color=colour, alpha=0.25, lw=0)
    axis.plot(x, value, color=colour, marker="o", ms=4, label=label)


def _tiles(axis: Axes, images: np.ndarray, across: int) -> None:
    """Gray images `(n, 1, H, W)` in [-1, 1], row by row, a pixel apart."""
    apart = np.pad(images[:, 0], ((0, 0), (0, 1), (0, 1)), constant_values=np.nan)
    rows = [np.concatenate([*apart[i : i + across]], 1) for i in range(0, len(images), across)]
    axis.imshow(np.concatenate(rows), cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
    axis.set(xticks=[], yticks=[])
    for side in axis.spines.values():
        side.set_visible(False)


if __name__ == "__main__":
    mpl.use("agg")
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "runs")
    for recipe in DRAWN:
        if not (folder / recipe / "evidence.json").exists():
            load_recipe(recipe).run(folder / recipe, device="cpu")
        for path, content in pictures(recipe, load_run(folder / recipe)):
            assert len(content) <= LARGEST, f"{path.name} has {len(content)} bytes"
            path.write_bytes(content)
            print(f"{path}: {len(content)} bytes")
