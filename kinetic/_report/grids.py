"""The samples themselves: in the order of a column, and beside the training points nearest to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib import colormaps
from torch import Tensor

from kinetic._report import canvas
from kinetic._report import columns as meanings
from kinetic._report.chosen import SPREAD, drawn_of, evenly
from kinetic._report.drawable import Drawable
from kinetic._report.prompts import prompt_of, prompts_asked
from kinetic._sample.stored_samples import StoredSamples

_SHOWN = 16  # samples of a row


def by_energy(run: Drawable, arm: str, columns: Mapping[str, np.ndarray]) -> canvas.Picture | None:
    """The samples of an arm by its main energies, where it has any and they can be drawn."""
    energies = [name for name in meanings.energies(run, main=True) if name in columns][: meanings.DRAWN]
    return grid(run, arm, columns, energies) if energies else None


def grid(run: Drawable, arm: str, columns: Mapping[str, np.ndarray], names: Sequence[str]) -> canvas.Picture | None:
    """Samples in the order of each of these columns; None where they are neither images nor points in the plane."""
    samples = run.stored(arm)
    shape = tuple(samples.shape[1:])
    if len(shape) == 3 and shape[0] in (1, 3):
        return _images(run, arm, columns, names, samples)
    return _points(run, arm, columns, names, samples) if shape == (2,) else None


def _points(
    run: Drawable, arm: str, columns: Mapping[str, np.ndarray], names: Sequence[str], samples: StoredSamples | Tensor
) -> canvas.Picture:
    figure, axes = canvas.panels(len(names), 2, (4.35, 3.4))
    n = len(columns[names[0]])
    chosen = evenly(n, SPREAD)
    points = samples[torch.from_numpy(columns["sample"][chosen])].float().numpy()
    for axis, name in zip(axes, names, strict=False):
        axis.set_aspect("equal", "datalim")
        colours = columns[name][chosen]
        dots = axis.scatter(points[:, 0], points[:, 1], c=colours, s=6, lw=0, cmap=colormaps["viridis"])
        bar = figure.colorbar(dots, ax=axis)
        bar.set_label(meanings.with_unit(run, name), fontsize=8)
        bar.ax.tick_params(labelsize=7)
    by = _called(run, names)
    caption = f"The samples of arm {arm}, coloured by {by}.{drawn_of(n, SPREAD)}"
    return canvas.picture(figure, f"Samples by {by}: {arm}", caption, f"Samples of {arm} ordered by {by}.")


def _images(
    run: Drawable, arm: str, columns: Mapping[str, np.ndarray], names: Sequence[str], samples: StoredSamples | Tensor
) -> canvas.Picture:
    n = len(columns[names[0]])
    per = min(_SHOWN, n)
    ranks = np.linspace(0, n - 1, 2 * per).astype(int)
    chosen = {name: np.argsort(columns[name], kind="stable")[ranks] for name in names}
    together = columns["sample"][np.concatenate([*chosen.values()])]  # at once: each shard is read once
    images = dict(zip(names, samples[torch.from_numpy(together)].float().split(2 * per), strict=True))
    _, height, width = samples.shape[1:]
    figure, axes = canvas.panels(len(names), 1, (0.54 * per, 1.55 * height / width))
    asked, texts = columns.get("class"), prompts_asked(run, arm)
    drawn = set[int]()
    for axis, name in zip(axes, names, strict=True):
        said = [f"{columns[name][index]:.3g}" for index in chosen[name]]
        if texts and asked is not None:
            said = [f"{number} #{asked[index]}" for number, index in zip(said, chosen[name], strict=True)]
            drawn |= {int(asked[index]) for index in chosen[name]}
        canvas.mosaic(axis, images[name].numpy(), per, said)
        axis.set_ylabel(name)
    by = _called(run, names)
    caption = (
        f"Samples of arm {arm} at evenly spaced ranks of {' and of '.join(names)}, lowest first, in two rows each. "
        f"The number is the {by}."
    )
    if drawn:
        listed = "; ".join(f"#{number} {prompt_of(texts[number])}" for number in sorted(drawn))
        caption += f" Behind it the prompt that was asked for: {listed}."
    return canvas.picture(figure, f"Samples by {by}: {arm}", caption, f"Samples of {arm} ordered by {by}.")


def _called(run: Drawable, names: Sequence[str]) -> str:
    return "energy" if {*names} <= {*meanings.energies(run)} else " and ".join(names)


def neighbours(run: Drawable, arm: str) -> canvas.Picture | None:
    """The most copy-like samples of an arm above the training points nearest to them, where they were kept."""
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
